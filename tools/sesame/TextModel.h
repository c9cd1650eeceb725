//===- TextModel.h - A bundle with its tokenizer ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOOLS_TEXTMODEL_H
#define SESAME_TOOLS_TEXTMODEL_H

#include "core/Model.h"
#include "core/Session.h"
#include "generate/StepModel.h"
#include "io/Manifest.h"
#include "tokenizer/Tokenizer.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sesame {

/// One text, or a pair of texts, to run a model on.
struct TextInput {
  std::string text;
  std::optional<std::string> pair;
};

/// A loaded bundle, a session, and the tokenizer that came with the checkpoint.
class TextModel {
public:
  TextModel(const std::string &bundle, int numThreads);

  Session &session() { return activeSession; }
  const Manifest &manifest() const { return model->manifest(); }
  const std::string &bundle() const { return bundlePath; }
  /// Throws Error that says what is missing if the bundle has no tokenizer files.
  const Tokenizer &tokenizer();
  /// What results are read with: another one where a translator keeps its languages' vocabularies apart.
  const Tokenizer &targetTokenizer();
  /// A number of the manifest's "config" object.
  std::optional<int64_t> configNumber(const char *key) const;
  /// A JSON file of the checkpoint that the bundle carries along (config.json, tokenizer_config.json); an
  /// empty object if there is none. Throws Error if it is no object.
  nlohmann::json companion(const char *name) const;
  /// A string of the checkpoint's config.json; empty if there is none.
  std::string checkpointConfig(const char *key) const;
  /// Throws Error unless the bundle was compiled for one of these tasks.
  void expectTask(const char *command, std::initializer_list<const char *> tasks) const;
  /// The name of a classifier's class: id2label, or LABEL_i.
  std::string label(int64_t index) const;

  /// The result of `forward` on a batch of texts padded to the longest, and their encodings.
  struct Batch {
    std::vector<Encoding> encodings;
    int64_t length = 0; ///< S, padding included
    std::vector<OutputTensor> outputs;
    /// Throws Error if the entry has no such output.
    const OutputTensor &output(const std::string &name) const;
    /// The elements of an output of type f32. Throws Error as above, or for another type.
    const float *floats(const std::string &name) const;
    /// As floats(), of type i64.
    const int64_t *integers(const std::string &name) const;
    std::string where; ///< for messages
  };
  Batch forward(const std::vector<TextInput> &texts, bool padsLeft = false);
  /// `others` are inputs that do not come from the tokenizer.
  Batch forward(std::vector<Encoding> encodings, bool padsLeft = false,
                const std::vector<InputTensor> &others = {});
  /// The result of `forward` on one row of choices [1, N, S], each read behind `prompt`.
  Batch forwardChoices(const std::string &prompt, const std::vector<std::string> &choices);
  /// Whether `forward` has this output.
  bool gives(const char *output) const;
  /// Whether a text's special tokens come behind it.
  bool endsInSpecialTokens() const;
  /// Whether padding comes before the text: by the tokenizer's configuration, else where special tokens end
  /// it.
  bool padsLeft() const;

private:
  /// One row as the model expects it, with the tokens that frame it.
  Encoding encode(const TextInput &input);
  Batch run(std::vector<Encoding> encodings, bool padsLeft, bool areChoices,
            const std::vector<InputTensor> &others = {});

  std::string bundlePath;
  std::shared_ptr<const Model> model;
  Session activeSession;
  std::optional<Tokenizer> loadedTokenizer;
  std::optional<Tokenizer> loadedTargetTokenizer;
};

/// Whether the model reads a source before it generates: it has an entry `encode`.
bool hasEncoder(const Model &model);

/// How the model of `session` continues sequences: with its cache if it has an entry `decode`, else by
/// running `forward` on the whole sequence for each token. `source` are the inputs of `encode` for a model
/// that has an encoder; the mask among them stays the caller's. Throws Error if the model does not generate
/// text.
std::unique_ptr<StepModel> openStepModel(Session &session, const std::vector<InputTensor> &source = {});

/// softmax(values) in double.
std::vector<double> softmax(const float *values, int64_t count);

/// The indices of the `count` largest scores (all of them if there are fewer), the largest first and the
/// earlier first among equals.
std::vector<int64_t> bestFirst(const std::vector<double> &scores, int64_t count);

/// The bytes of code points [start, end) of a UTF-8 text.
std::string codePoints(const std::string &text, uint32_t start, uint32_t end);

/// The whole of a text file. Throws Error.
std::string readTextFile(const std::string &path);

} // namespace sesame

#endif // SESAME_TOOLS_TEXTMODEL_H
