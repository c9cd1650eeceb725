//===- Checkpoint.h - The weights of a checkpoint directory -----*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IO_CHECKPOINT_H
#define SESAME_IO_CHECKPOINT_H

#include "io/Safetensors.h"

#include <memory>

namespace sesame {

/// The tensors of a directory as Hugging Face writes it: `model.safetensors`, or the shards that
/// `model.safetensors.index.json` names. Everything is mapped, nothing is copied.
class Checkpoint {
public:
  /// Throws Error if there are no weights, a shard is missing or would lie outside the directory, the index
  /// and the shards disagree about where a tensor is, or a file breaks the format.
  explicit Checkpoint(std::string directory);
  Checkpoint(Checkpoint &&) = default;
  Checkpoint &operator=(Checkpoint &&) = default;

  const std::string &directory() const { return directoryPath; }
  /// "DIR/model.safetensors" or "DIR/model.safetensors.index.json": what a message about a missing tensor
  /// should name.
  const std::string &weightsPath() const { return mainPath; }
  /// Sorted by name. The pointers live as long as this object.
  const std::vector<const StoredTensor *> &tensors() const { return sorted; }
  /// Null if there is none of this name.
  const StoredTensor *find(std::string_view name) const;
  /// As `find`, but throws Error that names the file and the tensor.
  const StoredTensor &get(std::string_view name) const;
  const std::vector<std::unique_ptr<SafetensorsFile>> &files() const { return shards; }

private:
  void openShards();

  std::string directoryPath, mainPath;
  std::vector<std::unique_ptr<SafetensorsFile>> shards;
  std::vector<const StoredTensor *> sorted;
};

} // namespace sesame

#endif // SESAME_IO_CHECKPOINT_H
