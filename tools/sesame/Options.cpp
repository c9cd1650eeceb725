//===- Options.cpp - Options that several subcommands have ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include "support/Error.h"

#include <charconv>
#include <cmath>

namespace sesame {

template <typename Number> static bool parseWhole(const std::string &text, Number &value) {
  const char *end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && rest == end;
}

CLI::Validator integerFrom(int64_t lowest) {
  return CLI::Validator(
      [lowest](const std::string &text) {
        int64_t value = 0;
        return parseWhole(text, value) && value >= lowest && value <= INT32_MAX
                   ? std::string()
                   : message("expected an integer from ", lowest, " on, got '", text, "'");
      },
      message(">= ", lowest));
}

CLI::Validator nonNegativeNumber() {
  return CLI::Validator(
      [](const std::string &text) {
        double value = 0;
        return parseWhole(text, value) && std::isfinite(value) && value >= 0
                   ? std::string()
                   : message("expected a number from 0 on, got '", text, "'");
      },
      ">= 0");
}

void addThreadsOption(CLI::App *command, int &threads) {
  command->add_option("--threads", threads, "How many threads; 0: all the process may use")
      ->capture_default_str()
      ->check(integerFrom(0));
}

void addTextsOption(CLI::App *command, std::vector<std::string> &texts, const std::string &description,
                    bool isRequired) {
  command->add_option("TEXT", texts, description)->required(isRequired)->allow_extra_args(false);
  command->allow_extras();
  command->parse_complete_callback([command, &texts] {
    for (const std::string &extra : command->remaining()) {
      if (extra.size() > 1 && extra[0] == '-')
        throw CLI::ExtrasError({extra});
      texts.push_back(extra);
    }
  });
}

} // namespace sesame
