//===- Import.h - A checkpoint directory as a module of sesame ops -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_IMPORT_H
#define SESAME_IMPORT_IMPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace sesame::importer {

struct ImportOptions {
  /// Imports the checkpoint as this class ("BertModel") instead of the one that config.json names.
  std::string architecture;
};

/// What the runtime's tasks need to know of a model beyond its entries. Filled by the import.
struct ModelInfo {
  std::string modelType, architecture;
  /// The transformers pipeline it serves: "text-generation", "fill-mask", "text-classification",
  /// "token-classification", "question-answering", "multiple-choice", "next-sentence-prediction",
  /// "feature-extraction", ...
  std::string task;
  int64_t vocabSize = 0;
  int64_t hiddenSize = 0;
  int64_t numLayers = 0;
  /// Longest sequence, 0 if there is no bound.
  int64_t maxLength = 0;
  std::optional<int64_t> padTokenId, bosTokenId, decoderStartTokenId;
  std::vector<int64_t> eosTokenIds;
  /// Whether the special tokens of a text come behind it, where the model reads them: batches are padded
  /// before the texts, and a text that is to be continued gets none.
  bool endsInSpecialTokens = false;
  /// Names of a classifier's classes in order; empty for a model without labels.
  std::vector<std::string> labels;
  /// Remarks for the user, a line each: tensors of the checkpoint that this class does not use.
  std::vector<std::string> notes;
};

/// The "config" object of the bundle's manifest.
nlohmann::json toJson(const ModelInfo &info);

/// Builds the module that docs/architecture.md describes from a directory as Hugging Face writes it: one
/// weight symbol for each kind of tensor, one function for each kind of layer, one public function for each
/// entry. Reads config.json and the headers of the weight files, none of the data but that of tables stored
/// twice. Loads the dialects it needs into `context`. Throws Error if the directory is not a model that
/// Sesame knows, or tensors are missing or of a wrong shape.
mlir::OwningOpRef<mlir::ModuleOp> importCheckpoint(const std::string &directory, mlir::MLIRContext &context,
                                                   const ImportOptions &options = {},
                                                   ModelInfo *info = nullptr);

} // namespace sesame::importer

#endif // SESAME_IMPORT_IMPORT_H
