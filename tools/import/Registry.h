//===- Registry.h - The model families that can be imported -----*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_REGISTRY_H
#define SESAME_IMPORT_REGISTRY_H

#include "Builder.h"

#include <string>
#include <vector>

namespace sesame::importer {

/// A class of transformers ("GPT2LMHeadModel").
struct Architecture {
  const char *name;
  const char *task;
  /// Builds the entries.
  void (*build)(ModelBuilder &);
  /// Null for the family's: what is left out of names where the class is a part of the base model.
  const char *basePrefix = nullptr;
};

/// All classes that share a `model_type`.
struct Family {
  const char *modelType;
  /// transformers' base_model_prefix with a dot.
  const char *basePrefix;
  std::vector<Architecture> architectures;
  /// The architecture of a checkpoint whose config.json names none, guessed from its tensors; null for the
  /// first one.
  const char *(*infer)(const WeightSource &) = nullptr;
  /// Ends of names of tensors that old checkpoints hold and nobody needs: mask buffers, position_ids.
  std::vector<const char *> ignoredSuffixes = {};
  /// What some classes have in place of the base prefix.
  std::vector<std::string> otherPrefixes = {};

  const Architecture *find(const std::string &name) const;
};

/// Every family, ordered by model type.
const std::vector<const Family *> &families();

} // namespace sesame::importer

#endif // SESAME_IMPORT_REGISTRY_H
