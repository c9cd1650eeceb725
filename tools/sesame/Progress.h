//===- Progress.h - What a long command shows on a terminal ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOOLS_PROGRESS_H
#define SESAME_TOOLS_PROGRESS_H

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <unistd.h>

namespace sesame {

/// One line on standard error that is written over: "packing weights  45 %  212 MB". Nothing when standard
/// error is no terminal, and nothing in the first half second: quick work needs no bar.
class Progress {
public:
  Progress() : isTerminal(isatty(2)), start(Clock::now()) {}
  ~Progress() { clear(); }
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  void show(const std::string &text) {
    const Clock::time_point now = Clock::now();
    if (!isTerminal || now - start < std::chrono::milliseconds(500) ||
        now - last < std::chrono::milliseconds(50))
      return;
    last = now;
    isShown = true;
    std::fprintf(stderr, "\r\033[K%s", text.c_str());
    std::fflush(stderr);
  }
  /// `what`, then the share done.
  void show(const char *what, uint64_t done, uint64_t total) {
    show(std::string(what) + "  " + std::to_string(total ? done * 100 / total : 100) + " %");
  }
  void clear() {
    if (isShown)
      std::fprintf(stderr, "\r\033[K");
    isShown = false;
  }

private:
  using Clock = std::chrono::steady_clock;
  bool isTerminal, isShown = false;
  Clock::time_point start, last{};
};

} // namespace sesame

#endif // SESAME_TOOLS_PROGRESS_H
