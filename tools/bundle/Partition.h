//===- Partition.h - Cuts a module of LLVM IR into parts ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_BUNDLE_PARTITION_H
#define SESAME_BUNDLE_PARTITION_H

#include "llvm/ADT/SmallVector.h"

#include <vector>

namespace llvm {
class Module;
}

namespace sesame {

/// Cuts `module` into parts of about equal size whose objects, linked together, are the module: bitcode of
/// each, so that each can be compiled by a thread of its own. What was local and is used by several parts
/// becomes hidden; local constants and small local functions that are only called are in every part. How many
/// parts there are depends on the module's size alone, so the code is the same on every machine.
std::vector<llvm::SmallVector<char, 0>> partition(llvm::Module &module);

} // namespace sesame

#endif // SESAME_BUNDLE_PARTITION_H
