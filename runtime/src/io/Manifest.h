//===- Manifest.h - manifest.json of a bundle -------------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IO_MANIFEST_H
#define SESAME_IO_MANIFEST_H

#include "io/EntrySpec.h"

#include <nlohmann/json.hpp>

namespace sesame {

/// `manifest.json`: everything the runtime knows of a compiled model besides its code and its weights. The
/// compiler fills the same struct and writes it with `serializeManifest`.
struct Manifest {
  /// The number behind "sesame_bundle"; a bundle with another one is refused.
  static constexpr int64_t version = 1;

  struct Model {
    std::string modelType, architecture, task;
  } model;

  struct Target {
    std::string triple, cpu;
    std::vector<std::string> features; // LLVM's names, without '+'
  } target;

  struct Weights {
    std::string file = "weights.safetensors"; // in the bundle's directory
    uint64_t dataSizeInBytes = 0;
    std::string checksum; // headerChecksum() of the file
  } weights;

  std::vector<EntrySpec> entries;

  /// The table behind the profile hook's `op` numbers; may be empty. Estimates are for the dims of one call:
  /// a sum of products `coefficient * symbol * symbol ...`.
  struct Term {
    double coefficient = 0;
    std::vector<std::string> symbols;
  };
  struct Op {
    std::string name; // "h.mlp.c_fc", "attention"
    std::string kind; // "sesame.linear"
    std::vector<Term> flops, bytes;
  };
  std::vector<Op> ops;

  // Objects, passed on as they are. `code`: the compiler's options, and what `sesame tune` found.
  nlohmann::json code = nlohmann::json::object();
  nlohmann::json config = nlohmann::json::object();
  nlohmann::json generation = nlohmann::json::object();
  nlohmann::json provenance = nlohmann::json::object();

  /// Null if there is none of this name.
  const EntrySpec *findEntry(std::string_view name) const;
};

/// Parses and checks. Throws one clear Error that starts with `path` for what is no JSON, of another version,
/// missing, of the wrong type, or inconsistent (a symbol of an output that no input binds, two inputs of one
/// name, ...).
Manifest parseManifest(const std::string &path, std::string_view text);
Manifest readManifest(const std::string &path);

/// The text of the file. Throws Error if the result would not be accepted by parseManifest.
std::string serializeManifest(const Manifest &manifest);

/// What `weights.checksum` holds: XXH64 of the weights file's header text, 16 hex digits.
std::string headerChecksum(std::string_view headerText);

} // namespace sesame

#endif // SESAME_IO_MANIFEST_H
