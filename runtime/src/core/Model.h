//===- Model.h - A loaded bundle --------------------------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_CORE_MODEL_H
#define SESAME_CORE_MODEL_H

#include "io/EntrySpec.h"
#include "sesame/abi.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sesame {

struct Manifest;
class SafetensorsFile;

/// The compiled functions of one entry.
struct EntryCode {
  SesameEntryFunction run = nullptr;
  SesameWorkspaceFunction workspace = nullptr;
};

/// A bundle, loaded: code by dlopen, weights mapped read-only and so shared between processes. Immutable, so
/// any number of sessions and threads may use it at once. A bundle contains machine code: loading one means
/// trusting who made it.
class Model {
public:
  /// Throws Error if the bundle is of another version or for another CPU, or if its files do not belong
  /// together.
  static std::shared_ptr<const Model> open(const std::string &directory);
  /// The same of a bundle that is being made: it has no manifest yet, and its code is in file `codeFile`.
  static std::shared_ptr<const Model> open(const std::string &directory, Manifest manifest,
                                           const std::string &codeFile);
  ~Model();
  Model(const Model &) = delete;
  Model &operator=(const Model &) = delete;

  const std::string &directory() const { return directoryPath; }
  const Manifest &manifest() const { return *contents; }
  const std::vector<EntrySpec> &entries() const;
  /// The index in `entries()`. Throws Error that lists the entries if there is none of this name.
  size_t entryIndex(std::string_view name) const;
  bool hasEntry(std::string_view name) const;
  const EntryCode &code(size_t entry) const { return codes[entry]; }
  const SafetensorsFile &weights() const { return *weightsFile; }
  /// Buffer 0 of every entry.
  const void *weightsData() const;

private:
  Model(const std::string &directory, Manifest manifest, const std::string &codeFile);
  void checkTarget() const;
  void openWeights();
  void openCode(const std::string &codeFile);

  std::string directoryPath;
  std::unique_ptr<const Manifest> contents;
  std::unique_ptr<const SafetensorsFile> weightsFile;
  void *library = nullptr;
  std::vector<EntryCode> codes;
};

} // namespace sesame

#endif // SESAME_CORE_MODEL_H
