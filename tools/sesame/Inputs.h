//===- Inputs.h - Stored tensors as inputs of an entry ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOOLS_INPUTS_H
#define SESAME_TOOLS_INPUTS_H

#include "core/Session.h"
#include "io/Safetensors.h"

#include <deque>
#include <vector>

namespace sesame {

/// Inputs for Session::run made of stored tensors. An integer tensor of another width than the entry declares
/// (files often hold masks as u8) is converted; everything else is left for the session to check.
class EntryInputs {
public:
  EntryInputs(const EntrySpec &entry,
              const std::vector<std::pair<std::string, const StoredTensor *>> &tensors);
  const std::vector<InputTensor> &tensors() const { return inputs; }

private:
  std::vector<InputTensor> inputs;
  std::deque<std::vector<int64_t>> converted;
};

} // namespace sesame

#endif // SESAME_TOOLS_INPUTS_H
