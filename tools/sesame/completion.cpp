//===- completion.cpp - sesame completion ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"

#include <cstdio>
#include <memory>

namespace sesame {

/// A bash script made from the parser itself, so it knows what the parser knows. zsh reads it after
/// `bashcompinit`.
static void printCompletion(const CLI::App &app) {
  std::string commands, cases;
  for (const CLI::App *command : app.get_subcommands(nullptr)) {
    commands += command->get_name() + " ";
    std::string options;
    for (const CLI::Option *option : command->get_options()) {
      for (const std::string &name : option->get_lnames())
        options += "--" + name + " ";
      for (const std::string &name : option->get_snames())
        options += "-" + name + " ";
    }
    cases += "    " + command->get_name() + ") words=\"" + options + "\" ;;\n";
  }
  std::printf("# source <(sesame completion)    zsh: autoload -U bashcompinit && bashcompinit first\n"
              "_sesame() {\n"
              "  local word=\"${COMP_WORDS[COMP_CWORD]}\" words=\"\"\n"
              "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
              "    COMPREPLY=($(compgen -W \"%s\" -- \"$word\"))\n"
              "    return\n"
              "  fi\n"
              "  case \"${COMP_WORDS[1]}\" in\n%s  esac\n"
              "  case \"$word\" in\n"
              "    -*) COMPREPLY=($(compgen -W \"$words\" -- \"$word\")) ;;\n"
              "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
              "  esac\n"
              "}\n"
              "complete -o filenames -F _sesame sesame\n",
              commands.c_str(), cases.c_str());
}

void addCompletionCommand(CLI::App &app) {
  CLI::App *command = app.add_subcommand("completion", "Print a completion script for bash and zsh");
  command->footer("Example:\n  source <(sesame completion)");
  command->callback([&app] { printCompletion(app); });
}

} // namespace sesame
