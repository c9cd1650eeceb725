//===- Commands.h - The subcommands of sesame ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOOLS_COMMANDS_H
#define SESAME_TOOLS_COMMANDS_H

#include <CLI/CLI.hpp>

namespace sesame {

struct CompilerInterface;

/// Opens libsesame_compiler.so beside this program. Throws Error that says where it was looked for.
const CompilerInterface &compiler();

// Each adds one subcommand with its options and what it does when chosen; what it does throws sesame::Error
// on bad input.
void addCompileCommand(CLI::App &app);
void addImportCommand(CLI::App &app);
void addInspectCommand(CLI::App &app);
void addRunCommand(CLI::App &app);
void addCheckCommand(CLI::App &app);
void addBenchCommand(CLI::App &app);
void addGenerateCommand(CLI::App &app);
void addPerplexityCommand(CLI::App &app);
void addFillMaskCommand(CLI::App &app);
void addChooseCommand(CLI::App &app);
void addClassifyCommand(CLI::App &app);
void addAnswerCommand(CLI::App &app);
void addTagCommand(CLI::App &app);
void addEmbedCommand(CLI::App &app);
void addNeighborsCommand(CLI::App &app);
void addSimilarityCommand(CLI::App &app);
void addTranslateCommand(CLI::App &app);
void addSummarizeCommand(CLI::App &app);
void addTuneCommand(CLI::App &app);
void addTokenizeCommand(CLI::App &app);
void addCompletionCommand(CLI::App &app);

} // namespace sesame

#endif // SESAME_TOOLS_COMMANDS_H
