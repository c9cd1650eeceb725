//===- main.cpp - The sesame command ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"

#include "support/Error.h"

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string>

/// CLI11's messages start with a capital letter or with an option's name.
static std::string lowerFirst(std::string text) {
  if (text.size() > 1 && (std::islower(static_cast<unsigned char>(text[1])) || text[1] == ' '))
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

/// Exit codes: 0 done, 1 bad input or failed check, 2 wrong usage.
int main(int argc, char **argv) {
  CLI::App app{"Sesame compiles sequence models to native code and runs them.\n\n"
               "  sesame compile CHECKPOINT -o BUNDLE    once\n"
               "  sesame generate BUNDLE --prompt TEXT   as often as you like\n"};
  app.name("sesame");
  app.set_version_flag("--version", "sesame " SESAME_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  for (auto add : {sesame::addCompileCommand,   sesame::addImportCommand,     sesame::addInspectCommand,
                   sesame::addRunCommand,       sesame::addCheckCommand,      sesame::addBenchCommand,
                   sesame::addGenerateCommand,  sesame::addPerplexityCommand, sesame::addFillMaskCommand,
                   sesame::addClassifyCommand,  sesame::addAnswerCommand,     sesame::addTagCommand,
                   sesame::addEmbedCommand,     sesame::addTranslateCommand,  sesame::addSummarizeCommand,
                   sesame::addNeighborsCommand, sesame::addSimilarityCommand, sesame::addTokenizeCommand,
                   sesame::addChooseCommand,    sesame::addTuneCommand,       sesame::addCompletionCommand})
    add(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &request) { // --help, --version
    app.exit(request);
  } catch (const CLI::ParseError &error) {
    const auto chosen = app.get_subcommands();
    const auto remaining = app.remaining(); // CLI11 itself says no more than that a subcommand is missing
    if (chosen.empty() && !remaining.empty())
      std::fprintf(stderr, "sesame: error: expected a subcommand, found '%s'\n", remaining.front().c_str());
    else
      std::fprintf(stderr, "sesame: error: %s\n", lowerFirst(error.what()).c_str());
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
  // What was printed may still be on its way to a full disk.
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
    std::fprintf(stderr, "sesame: error: standard output: cannot write: %s\n", std::strerror(errno));
    return 1;
  }
  return 0;
}
