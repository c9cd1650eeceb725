//===- write-counter-bundle.cpp - The hand-written model for lit tests ----===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestBundle.h"

#include <exception>
#include <iostream>

int main(int argc, char **argv) {
  if (argc != 3) {
    std::cerr << "usage: write-counter-bundle DIRECTORY LIBRARY\n";
    return 2;
  }
  try {
    sesame::test::writeCounterBundle(argv[1], argv[2]);
  } catch (const std::exception &error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
