//===- TextModel.cpp - A bundle with its tokenizer ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TextModel.h"

#include "generate/SessionStepModel.h"
#include "support/Error.h"
#include "support/Json.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>

namespace sesame {

static Session::Options withThreads(int numThreads) {
  Session::Options options;
  options.numThreads = numThreads;
  return options;
}

TextModel::TextModel(const std::string &bundle, int numThreads)
    : bundlePath(bundle), model(Model::open(bundle)), activeSession(model, withThreads(numThreads)) {}

const Tokenizer &TextModel::tokenizer() {
  if (!loadedTokenizer)
    loadedTokenizer.emplace(Tokenizer::fromDirectory(bundlePath));
  return *loadedTokenizer;
}

const Tokenizer &TextModel::targetTokenizer() {
  if (!loadedTargetTokenizer)
    loadedTargetTokenizer = Tokenizer::targetFromDirectory(bundlePath);
  return loadedTargetTokenizer ? *loadedTargetTokenizer : tokenizer();
}

std::optional<int64_t> TextModel::configNumber(const char *key) const {
  const auto found = manifest().config.find(key);
  if (found == manifest().config.end() || !found->is_number_integer())
    return std::nullopt;
  return found->get<int64_t>();
}

nlohmann::json TextModel::companion(const char *name) const {
  const std::string path = bundlePath + "/" + name;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    return nlohmann::json::object();
  nlohmann::json contents = parseJson(path, readTextFile(path));
  if (!contents.is_object())
    throw Error(message(path, ": expected an object, found ", contents.type_name()));
  return contents;
}

std::string TextModel::checkpointConfig(const char *key) const {
  const nlohmann::json config = companion("config.json");
  const auto found = config.find(key);
  return found != config.end() && found->is_string() ? found->get<std::string>() : std::string();
}

void TextModel::expectTask(const char *command, std::initializer_list<const char *> tasks) const {
  const std::string &task = manifest().model.task;
  std::string expected;
  for (const char *each : tasks) {
    if (task == each)
      return;
    expected += (expected.empty() ? "" : " or ") + std::string(each);
  }
  throw Error(message(bundlePath, ": 'sesame ", command, "' expects a model for ", expected, ", got ",
                      manifest().model.architecture, " for ", task.empty() ? "no known task" : task));
}

std::string TextModel::label(int64_t index) const {
  const auto labels = manifest().config.find("id2label");
  if (labels != manifest().config.end() && labels->is_array() &&
      index < static_cast<int64_t>(labels->size()) && (*labels)[index].is_string())
    return (*labels)[index].get<std::string>();
  if (manifest().model.task == "next-sentence-prediction" && index < 2)
    return index == 0 ? "IsNext" : "NotNext";
  return "LABEL_" + std::to_string(index);
}

bool TextModel::endsInSpecialTokens() const {
  return manifest().config.value("ends_in_special_tokens", nlohmann::json()) == true;
}

bool TextModel::gives(const char *output) const {
  return model->entries()[model->entryIndex("forward")].findOutput(output) >= 0;
}

bool TextModel::padsLeft() const {
  const nlohmann::json config = companion("tokenizer_config.json");
  const auto side = config.find("padding_side");
  return side == config.end() ? endsInSpecialTokens() : *side == "left";
}

TextModel::Batch TextModel::forward(const std::vector<TextInput> &texts, bool padsLeft) {
  std::vector<Encoding> encodings;
  for (const TextInput &input : texts) {
    encodings.push_back(encode(input));
    if (encodings.back().ids.empty())
      throw Error("text: expected at least one token, got an empty text");
  }
  return forward(std::move(encodings), padsLeft);
}

/// The text as one token that the tokenizer has, by its role or by the name that the reference's examples
/// give it.
static std::optional<TokenId> findFrame(const Tokenizer &tokenizer, const char *role, const char *usual) {
  const std::optional<TokenId> id = tokenizer.roleId(role);
  return id ? id : tokenizer.tokenToId(usual);
}

Encoding TextModel::encode(const TextInput &input) {
  const Tokenizer &tokens = tokenizer();
  const std::string &type = manifest().model.modelType;
  if (type != "openai-gpt")
    return input.pair ? tokens.encode(input.text, *input.pair) : tokens.encode(input.text);
  // The first GPT's input forms (Radford et al. 2018): a start token, the text or the two texts with a
  // delimiter between them, and a token at which the classifier reads.
  const std::optional<TokenId> start = findFrame(tokens, "bos_token", "_start_"),
                               delimiter = findFrame(tokens, "sep_token", "_delimiter_"),
                               extract = findFrame(tokens, "cls_token", "_classify_");
  if (input.pair && !delimiter)
    throw Error(message(bundlePath, ": a pair of texts needs a delimiter between them, and the tokenizer has "
                                    "neither a sep_token nor '_delimiter_'"));
  Encoding framed;
  auto append = [&](const std::optional<TokenId> &id) {
    if (!id)
      return;
    framed.ids.push_back(*id);
    framed.tokens.push_back(tokens.idToToken(*id).value_or(""));
    framed.offsets.push_back({0, 0});
    framed.typeIds.push_back(0);
    framed.specialMask.push_back(1);
    framed.wordIds.push_back(-1);
  };
  append(start);
  framed.append(tokens.encode(input.text, /*addSpecialTokens=*/false));
  if (input.pair) {
    append(delimiter);
    framed.append(tokens.encode(*input.pair, /*addSpecialTokens=*/false));
  }
  append(extract);
  return framed;
}

TextModel::Batch TextModel::forwardChoices(const std::string &prompt,
                                           const std::vector<std::string> &choices) {
  const EntrySpec &entry = model->entries()[model->entryIndex("forward")];
  const bool isDecoder = entry.findOutput("mc_logits") >= 0;
  std::vector<Encoding> encodings;
  for (const std::string &choice : choices) {
    if (isDecoder && manifest().model.modelType != "openai-gpt") {
      // GPT-2's double heads read one text, and score it at a token behind it if the tokenizer has one.
      const std::optional<TokenId> end = tokenizer().roleId("cls_token");
      encodings.push_back(
          encode({prompt + " " + choice + (end ? " " + *tokenizer().idToToken(*end) : ""), {}}));
    } else {
      encodings.push_back(encode({prompt, choice}));
    }
    if (encodings.back().ids.empty())
      throw Error("expected at least one token for each choice, got an empty text");
  }
  return run(std::move(encodings), /*padsLeft=*/false, /*areChoices=*/true);
}

TextModel::Batch TextModel::forward(std::vector<Encoding> encodings, bool padsLeft,
                                    const std::vector<InputTensor> &others) {
  return run(std::move(encodings), padsLeft, /*areChoices=*/false, others);
}

TextModel::Batch TextModel::run(std::vector<Encoding> encodings, bool padsLeft, bool areChoices,
                                const std::vector<InputTensor> &others) {
  Batch batch;
  batch.where = bundlePath;
  batch.encodings = std::move(encodings);
  for (const Encoding &encoding : batch.encodings)
    batch.length = std::max<int64_t>(batch.length, encoding.size());
  const auto rows = static_cast<int64_t>(batch.encodings.size());
  const int64_t padId = configNumber("pad_token_id").value_or(0);
  std::vector<int64_t> ids(rows * batch.length, padId), mask(rows * batch.length, 0),
      types(rows * batch.length, 0);
  for (int64_t row = 0; row < rows; ++row) {
    const Encoding &encoding = batch.encodings[row];
    const int64_t start =
        row * batch.length + (padsLeft ? batch.length - static_cast<int64_t>(encoding.size()) : 0);
    for (size_t i = 0; i < encoding.size(); ++i) {
      ids[start + i] = encoding.ids[i];
      mask[start + i] = 1;
      types[start + i] = encoding.typeIds[i];
    }
  }
  const EntrySpec &entry = model->entries()[model->entryIndex("forward")];
  std::vector<int64_t> shape = {rows, batch.length};
  if (areChoices)
    shape.insert(shape.begin(), 1);
  std::vector<int64_t> lastTokens;
  for (const Encoding &encoding : batch.encodings)
    lastTokens.push_back(static_cast<int64_t>(encoding.size()) - 1);
  std::vector<InputTensor> inputs = {{"input_ids", DType::i64, shape, ids.data()}};
  if (entry.findInput("attention_mask") >= 0)
    inputs.push_back({"attention_mask", DType::i64, shape, mask.data()});
  // GPT-2 and its kin take types, but their tokenizers give none.
  const int32_t typeInput = entry.findInput("token_type_ids");
  if (typeInput >= 0 && entry.inputs[typeInput].defaultValue != InputDefault::absent)
    inputs.push_back({"token_type_ids", DType::i64, shape, types.data()});
  if (areChoices && entry.findInput("mc_token_ids") >= 0)
    inputs.push_back({"mc_token_ids", DType::i64, {1, rows}, lastTokens.data()});
  inputs.insert(inputs.end(), others.begin(), others.end());
  batch.outputs = activeSession.run("forward", inputs);
  return batch;
}

const OutputTensor &TextModel::Batch::output(const std::string &name) const {
  for (const OutputTensor &each : outputs)
    if (each.name == name)
      return each;
  throw Error(message(where, ": entry 'forward' has no output '", name, "'"));
}

/// The elements of an output, which must be of `type`.
static const void *elementsOf(const TextModel::Batch &batch, const std::string &name, DType type) {
  const OutputTensor &tensor = batch.output(name);
  if (tensor.dtype != type)
    throw Error(message(batch.where, ": output '", name, "': expected ", toString(type), ", got ",
                        toString(tensor.dtype)));
  return tensor.data.data();
}

const float *TextModel::Batch::floats(const std::string &name) const {
  return static_cast<const float *>(elementsOf(*this, name, DType::f32));
}

const int64_t *TextModel::Batch::integers(const std::string &name) const {
  return static_cast<const int64_t *>(elementsOf(*this, name, DType::i64));
}

bool hasEncoder(const Model &model) { return model.hasEntry("encode") && model.hasEntry("decode"); }

std::unique_ptr<StepModel> openStepModel(Session &session, const std::vector<InputTensor> &source) {
  const Model &model = session.model();
  if (model.hasEntry("decode")) {
    auto steps = std::make_unique<SessionStepModel>(session);
    if (hasEncoder(model))
      steps->encode(source);
    return steps;
  }
  if (model.manifest().model.task == "text-generation")
    return std::make_unique<RecomputeStepModel>(session);
  throw Error(message(model.directory(), ": expected a model that generates text, got ",
                      model.manifest().model.architecture, " for ",
                      model.manifest().model.task.empty() ? "no known task" : model.manifest().model.task));
}

std::vector<double> softmax(const float *values, int64_t count) {
  std::vector<double> result(values, values + count);
  const double largest = *std::max_element(result.begin(), result.end());
  double sum = 0;
  for (double &value : result)
    sum += value = std::exp(value - largest);
  for (double &value : result)
    value /= sum;
  return result;
}

std::vector<int64_t> bestFirst(const std::vector<double> &scores, int64_t count) {
  std::vector<int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  count = std::min<int64_t>(count, order.size());
  std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](int64_t a, int64_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  });
  order.resize(count);
  return order;
}

std::string codePoints(const std::string &text, uint32_t start, uint32_t end) {
  uint32_t position = 0;
  size_t from = text.size(), to = text.size();
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) == 0x80)
      continue;
    if (position == start)
      from = i;
    if (position == end)
      to = i;
    ++position;
  }
  return from < to ? text.substr(from, to - from) : std::string();
}

std::string readTextFile(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (!stream.good() && !stream.eof())
    throw Error(message(path, ": cannot read: ", std::strerror(errno)));
  return text;
}

} // namespace sesame
