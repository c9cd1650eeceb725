//===- tune.cpp - sesame tune ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "Options.h"

#include "../compiler/Compiler.h"

#include <memory>

namespace sesame {

void addTuneCommand(CLI::App &app) {
  CLI::App *command =
      app.add_subcommand("tune", "Make a bundle's code faster on this machine by measurement");
  auto options = std::make_shared<TuneOptions>();
  command->add_option("BUNDLE", options->bundle, "What 'sesame compile' wrote; replaced by the faster one")
      ->required();
  command->add_option("--source", options->source,
                      "The checkpoint it was compiled from: other widths of weight panels are tried, too");
  command->add_option("--prompt-tokens", options->promptTokens, "Length of the prompt to be fast for")
      ->capture_default_str()
      ->check(integerFrom(1));
  command->add_option("--new-tokens", options->newTokens, "How many tokens are generated from it")
      ->capture_default_str()
      ->check(integerFrom(0));
  command->add_option("--batch", options->batch, "How many sequences")
      ->capture_default_str()
      ->check(integerFrom(1));
  addThreadsOption(command, options->threads);
  command->add_option("--only", options->only, "Names of the choices to try, with commas between them")
      ->delimiter(',');
  command->add_option("--margin", options->margin, "How many percent a choice must win to be kept")
      ->capture_default_str()
      ->check(nonNegativeNumber());
  command->add_flag("--json", options->json, "Print JSON");
  command->footer("Stopping it leaves the bundle as it was. docs/tuning.md says what is tried.\n"
                  "Example:\n  sesame tune gpt2.bundle --prompt-tokens 512 --threads 8");
  command->callback([options] { compiler().tune(*options); });
}

} // namespace sesame
