//===- MachineRates.h - How fast a machine can be at most ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_COMPILER_MACHINERATES_H
#define SESAME_COMPILER_MACHINERATES_H

#include <cstdint>
#include <string>

namespace sesame {

struct CodegenOptions;

/// The ceilings of the cost model, all threads together.
struct MachineRates {
  /// Where they come from, for the user: "measured on this machine in 0.25 s, 2 threads".
  std::string origin;
  bool isMeasured = false;
  int numThreads = 1;
  /// Operations a second; a multiply-add counts as two.
  double f32 = 0, bf16 = 0, int8 = 0;
  /// Bytes read a second, from memory and from the last-level cache.
  double memory = 0, cache = 0;
  /// What the last-level cache holds.
  double cacheBytes = 0;

  /// Of multiply-adds on numbers of this type.
  double peak(const std::string &type) const { return type == "bf16" ? bf16 : type == "int8" ? int8 : f32; }
  /// Read rate of what lies in `bytes` of memory.
  double readRate(double bytes) const { return bytes <= cacheBytes ? cache : memory; }
};

/// Measures them on this machine with the instructions that `target` may use, which the CPU must have, in
/// less than half a second.
MachineRates measureRates(const CodegenOptions &target, int numThreads);

/// One nominal core of the target, for machines that are not at hand.
MachineRates nominalRates(const CodegenOptions &target);

} // namespace sesame

#endif // SESAME_COMPILER_MACHINERATES_H
