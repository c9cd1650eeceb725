//===- main.cpp - The sesame command ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"

#include "support/Error.h"

#include <cstdio>
#include <exception>
#include <new>

/// Exit codes: 0 done, 1 bad input or failed check, 2 wrong usage.
int main(int argc, char **argv) {
  CLI::App app{"Sesame compiles sequence models to native code and runs them.\n\n"
               "  sesame compile CHECKPOINT -o BUNDLE    once\n"
               "  sesame generate BUNDLE --prompt TEXT   as often as you like\n"};
  app.name("sesame");
  app.set_version_flag("--version", "sesame " SESAME_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  for (auto add : {sesame::addCompileCommand, sesame::addImportCommand, sesame::addInspectCommand,
                   sesame::addRunCommand, sesame::addCheckCommand, sesame::addBenchCommand,
                   sesame::addGenerateCommand, sesame::addPerplexityCommand, sesame::addFillMaskCommand,
                   sesame::addClassifyCommand, sesame::addAnswerCommand, sesame::addTagCommand,
                   sesame::addEmbedCommand, sesame::addTokenizeCommand, sesame::addCompletionCommand})
    add(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &request) { // --help, --version
    return app.exit(request);
  } catch (const CLI::ParseError &error) {
    std::fprintf(stderr, "sesame: error: %s\n", error.what());
    const auto chosen = app.get_subcommands();
    std::fprintf(stderr, "Run 'sesame%s%s --help' for usage\n", chosen.empty() ? "" : " ",
                 chosen.empty() ? "" : chosen.front()->get_name().c_str());
    return 2;
  } catch (const sesame::Error &error) {
    std::fflush(stdout);
    std::fprintf(stderr, "sesame: error: %s\n", error.what());
    return 1;
  } catch (const std::bad_alloc &) {
    std::fprintf(stderr, "sesame: error: out of memory\n");
    return 1;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "sesame: error: %s\n", error.what());
    return 1;
  }
  return 0;
}
