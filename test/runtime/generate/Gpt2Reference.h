//===- Gpt2Reference.h - GPT-2, written to be read --------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TEST_GENERATE_GPT2REFERENCE_H
#define SESAME_TEST_GENERATE_GPT2REFERENCE_H

#include "io/Safetensors.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

namespace sesame::test {

/// The forward pass of GPT2LMHeadModel (Radford et al. 2019) in double, one sequence at a time, no cache: the
/// oracle for the tests of generation.
class Gpt2Reference {
public:
  explicit Gpt2Reference(const std::string &directory) : file(directory + "/model.safetensors") {
    std::ifstream stream(directory + "/config.json");
    config = nlohmann::json::parse(stream);
    width = config["n_embd"];
    numHeads = config["n_head"];
    numLayers = config["n_layer"];
    numPositions = config["n_positions"];
    vocabulary = config["vocab_size"];
    epsilon = config["layer_norm_epsilon"];
    tokenTable = read("transformer.wte.weight");
    positionTable = read("transformer.wpe.weight");
    for (int64_t layer = 0; layer < numLayers; ++layer) {
      std::string prefix = "transformer.h." + std::to_string(layer) + ".";
      std::vector<Matrix> weights;
      for (const char *name : {"ln_1.weight", "ln_1.bias", "attn.c_attn.weight", "attn.c_attn.bias",
                               "attn.c_proj.weight", "attn.c_proj.bias", "ln_2.weight", "ln_2.bias",
                               "mlp.c_fc.weight", "mlp.c_fc.bias", "mlp.c_proj.weight", "mlp.c_proj.bias"})
        weights.push_back(read(prefix + name));
      layers.push_back(std::move(weights));
    }
    finalScale = read("transformer.ln_f.weight");
    finalShift = read("transformer.ln_f.bias");
  }

  int64_t vocabSize() const { return vocabulary; }
  int64_t maxLength() const { return numPositions; }

  /// Logits [V] after the last token.
  std::vector<float> operator()(const std::vector<int64_t> &ids) const {
    size_t length = ids.size(), w = size_t(width);
    Matrix x(length * w); // [S, C]
    for (size_t s = 0; s < length; ++s)
      for (size_t c = 0; c < w; ++c)
        x[s * w + c] = tokenTable[size_t(ids[s]) * w + c] + positionTable[s * w + c];
    for (const std::vector<Matrix> &p : layers) {
      Matrix qkv = linear(layerNorm(x, p[0], p[1]), p[2], p[3]);
      add(x, linear(attention(qkv, length), p[4], p[5]));
      Matrix hidden = linear(layerNorm(x, p[6], p[7]), p[8], p[9]);
      for (double &v : hidden)
        v = 0.5 * v *
            (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (v + 0.044715 * v * v * v))); // gelu_new
      add(x, linear(hidden, p[10], p[11]));
    }
    x = layerNorm(x, finalScale, finalShift);
    std::vector<float> logits;
    for (size_t v = 0; v < size_t(vocabulary); ++v) {
      double sum = 0;
      for (size_t c = 0; c < w; ++c)
        sum += x[(length - 1) * w + c] * tokenTable[v * w + c];
      logits.push_back(float(sum));
    }
    return logits;
  }

private:
  using Matrix = std::vector<double>;

  Matrix read(const std::string &name) const {
    const StoredTensor *tensor = file.find(name);
    if (!tensor || tensor->dtype != DType::f32)
      throw std::runtime_error(name + ": expected an f32 tensor");
    std::vector<float> values(tensor->sizeInBytes / sizeof(float));
    std::memcpy(values.data(), tensor->data, tensor->sizeInBytes);
    return Matrix(values.begin(), values.end());
  }

  static void add(Matrix &x, const Matrix &y) {
    for (size_t i = 0; i < x.size(); ++i)
      x[i] += y[i];
  }

  Matrix layerNorm(const Matrix &x, const Matrix &scale, const Matrix &shift) const {
    Matrix result(x.size());
    size_t w = size_t(width);
    for (size_t row = 0; row < x.size(); row += w) {
      double mean = 0, variance = 0;
      for (size_t c = 0; c < w; ++c)
        mean += x[row + c] / double(w);
      for (size_t c = 0; c < w; ++c)
        variance += (x[row + c] - mean) * (x[row + c] - mean) / double(w);
      for (size_t c = 0; c < w; ++c)
        result[row + c] = (x[row + c] - mean) / std::sqrt(variance + epsilon) * scale[c] + shift[c];
    }
    return result;
  }

  /// x [S, K] times weight [K, N] plus bias [N].
  static Matrix linear(const Matrix &x, const Matrix &weight, const Matrix &bias) {
    size_t columns = bias.size(), inner = weight.size() / columns, rows = x.size() / inner;
    Matrix result(rows * columns);
    for (size_t row = 0; row < rows; ++row)
      for (size_t n = 0; n < columns; ++n) {
        double sum = bias[n];
        for (size_t k = 0; k < inner; ++k)
          sum += x[row * inner + k] * weight[k * columns + n];
        result[row * columns + n] = sum;
      }
    return result;
  }

  /// qkv [S, 3 C] -> [S, C], causal.
  Matrix attention(const Matrix &qkv, size_t length) const {
    size_t w = size_t(width), headSize = w / size_t(numHeads);
    Matrix result(length * w);
    for (size_t head = 0; head < size_t(numHeads); ++head)
      for (size_t s = 0; s < length; ++s) {
        std::vector<double> weights;
        double sum = 0;
        for (size_t t = 0; t <= s; ++t) {
          double score = 0;
          for (size_t d = 0; d < headSize; ++d)
            score += qkv[s * 3 * w + head * headSize + d] * qkv[t * 3 * w + w + head * headSize + d];
          weights.push_back(std::exp(score / std::sqrt(double(headSize))));
          sum += weights.back();
        }
        for (size_t t = 0; t <= s; ++t)
          for (size_t d = 0; d < headSize; ++d)
            result[s * w + head * headSize + d] +=
                weights[t] / sum * qkv[t * 3 * w + 2 * w + head * headSize + d];
      }
    return result;
  }

  SafetensorsFile file;
  nlohmann::json config;
  int64_t width, numHeads, numLayers, numPositions, vocabulary;
  double epsilon;
  Matrix tokenTable, positionTable, finalScale, finalShift;
  std::vector<std::vector<Matrix>> layers;
};

} // namespace sesame::test

#endif // SESAME_TEST_GENERATE_GPT2REFERENCE_H
