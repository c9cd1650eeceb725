//===- Options.h - Options that several subcommands have ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOOLS_OPTIONS_H
#define SESAME_TOOLS_OPTIONS_H

#include <CLI/CLI.hpp>

namespace sesame {

/// Accepts integers from `lowest` on.
CLI::Validator integerFrom(int64_t lowest);
/// Accepts finite numbers that are not negative.
CLI::Validator nonNegativeNumber();

/// `--threads N`
void addThreadsOption(CLI::App *command, int &threads);

/// `TEXT...`. Not a plain list option: CLI11 would take "[MASK] or [MASK]" for a list in brackets.
void addTextsOption(CLI::App *command, std::vector<std::string> &texts, const std::string &description,
                    bool isRequired = true);

} // namespace sesame

#endif // SESAME_TOOLS_OPTIONS_H
