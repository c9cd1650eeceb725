//===- Workload.h - Calls of a bundle's entries on made-up inputs ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_COMPILER_WORKLOAD_H
#define SESAME_COMPILER_WORKLOAD_H

#include "core/Session.h"
#include "io/EntrySpec.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sesame {

struct WorkloadShape {
  int64_t batch = 1, promptTokens = 128;
};

/// One way of calling an entry: values for its symbols.
struct Phase {
  const EntrySpec *entry;
  std::string label;         ///< "a prompt", "one step", "a call"
  std::vector<int64_t> dims; ///< Of entry->symbols.
  bool isStep = false;

  double dim(const std::string &symbol) const;
  /// "B = 1, S = 128"
  std::string describeDims() const;
};

/// The calls that a use of the model is made of: for an entry that remembers, a prompt and one step after it
/// (a step alone, where an encoder reads the prompt); for others one call. Symbols are B, the number of
/// tokens, or what the entry's limits leave of it. The entries must stay.
std::vector<Phase> listPhases(const std::vector<EntrySpec> &entries, const WorkloadShape &shape);

/// Runs a phase, as often as one likes. Inputs are such that the entry accepts them: ids all over the
/// vocabulary, masks of ones, full lengths. The session's states are reset.
class PhaseRunner {
public:
  PhaseRunner(Session &session, const Phase &phase);
  void run() { bound.run(); }
  /// The numbers of all outputs of the last run, one after the other.
  std::vector<double> outputs() const;

private:
  const void *makeInput(const TensorSpec &tensor, const Phase &phase);
  BoundEntry bound;
  std::vector<std::vector<char>> inputs;
};

} // namespace sesame

#endif // SESAME_COMPILER_WORKLOAD_H
