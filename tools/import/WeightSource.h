//===- WeightSource.h - Finding a model's tensors in a checkpoint -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_WEIGHTSOURCE_H
#define SESAME_IMPORT_WEIGHTSOURCE_H

#include "io/Checkpoint.h"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace sesame::importer {

/// A tensor name in which "{}" stands for the layer index: "transformer.h.{}.ln_1.weight".
using NamePattern = std::string;

std::string instantiate(const NamePattern &pattern, int64_t layer);

/// The tensors of a checkpoint under the names that a family's description uses, and the record of what fits
/// and what does not. Habits of old and derived checkpoints are undone here: a base model saved alone has its
/// tensors without the base prefix ("transformer."), some classes have another one, and checkpoints converted
/// from TensorFlow call a norm's weight and bias `gamma` and `beta`.
class WeightSource {
public:
  /// `basePrefix` is what transformers calls the base model prefix, with its dot; `otherPrefixes` are what
  /// some classes have in its place. `description` is the class's name, for messages.
  WeightSource(const Checkpoint &checkpoint, std::string basePrefix, std::string description,
               std::vector<std::string> otherPrefixes = {});

  /// The pattern as the checkpoint spells it: the first of `alternatives` of which a tensor is there, else
  /// the first.
  NamePattern resolve(const std::vector<NamePattern> &alternatives, int64_t firstLayer) const;
  /// Whether one of the names (no patterns) is stored.
  bool has(const std::string &name) const { return find(name) != nullptr; }
  /// Whether no tensor has the base prefix: the checkpoint of a base model saved alone.
  bool isHeadless() const { return stripsPrefix; }
  /// By the family's name; null if it is not stored.
  const StoredTensor *find(const std::string &name) const;

  /// The element type of the tensors `pattern` (as `resolve` gave it) of `count` layers from `firstLayer` on.
  /// Marks them as used, and records every one that is missing, has another shape or type, or is not of
  /// floats. If nothing can be said, f32.
  DType claim(const NamePattern &pattern, int64_t firstLayer, int64_t count,
              const std::vector<int64_t> &shape);
  /// The family's name without the base prefix: the same whichever way the checkpoint spells it.
  std::string withoutPrefix(const std::string &name) const;
  /// Marks a tensor as known: it is not needed, and not worth a remark.
  void ignore(const std::string &name);
  /// The same for every tensor whose name ends in `suffix`.
  void ignoreSuffix(const std::string &suffix);

  /// Throws Error that lists all problems on record (the first ten by name).
  void check() const;
  /// A remark about stored tensors that nobody claimed; empty if there are none.
  std::string describeUnused() const;

private:
  std::string spelled(const std::string &name) const;
  /// All names under which `name` may be stored, the usual one first.
  std::vector<NamePattern> spellings(const NamePattern &name) const;

  const Checkpoint &checkpoint;
  std::string basePrefix, description;
  std::vector<std::string> otherPrefixes;
  bool stripsPrefix;
  std::set<std::string> used;
  /// A tensor may be claimed more than once; the first problems are listed.
  std::set<std::string> allProblems;
  std::vector<std::string> problems;
};

} // namespace sesame::importer

#endif // SESAME_IMPORT_WEIGHTSOURCE_H
