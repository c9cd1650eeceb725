//===- TransformerReference.h - The first Transformer, to be read *- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TEST_GENERATE_TRANSFORMERREFERENCE_H
#define SESAME_TEST_GENERATE_TRANSFORMERREFERENCE_H

#include "io/Safetensors.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

namespace sesame::test {

/// The encoder-decoder of Vaswani et al. 2017 (post-norm, sinusoidal positions, ReLU, one table for source,
/// target and output) in double, one sequence at a time, no cache: the oracle for beam search with
/// `gnmt_alpha`.
class TransformerReference {
public:
  using Matrix = std::vector<double>; // [length, width]

  explicit TransformerReference(const std::string &directory) : file(directory + "/model.safetensors") {
    std::ifstream stream(directory + "/config.json");
    nlohmann::json config = nlohmann::json::parse(stream);
    width = config["d_model"];
    numHeads = config["nhead"];
    numEncoderLayers = config["num_encoder_layers"];
    numDecoderLayers = config["num_decoder_layers"];
    vocabulary = config["vocab_size"];
    epsilon = config["layer_norm_eps"];
    table = read("src_embedding.weight");
  }

  int64_t vocabSize() const { return int64_t(vocabulary); }

  Matrix encode(const std::vector<int64_t> &ids) const {
    Matrix x = embed(ids);
    for (size_t layer = 0; layer < numEncoderLayers; ++layer) {
      std::string prefix = "transformer.encoder.layers." + std::to_string(layer) + ".";
      x = addAndNorm(x, attention(x, x, prefix + "self_attn.", false), prefix + "norm1.");
      x = addAndNorm(x, feedForward(x, prefix), prefix + "norm2.");
    }
    return x;
  }

  /// Logits [V] after the last token.
  std::vector<float> decode(const std::vector<int64_t> &ids, const Matrix &memory) const {
    Matrix x = embed(ids);
    for (size_t layer = 0; layer < numDecoderLayers; ++layer) {
      std::string prefix = "transformer.decoder.layers." + std::to_string(layer) + ".";
      x = addAndNorm(x, attention(x, x, prefix + "self_attn.", true), prefix + "norm1.");
      x = addAndNorm(x, attention(x, memory, prefix + "multihead_attn.", false), prefix + "norm2.");
      x = addAndNorm(x, feedForward(x, prefix), prefix + "norm3.");
    }
    std::vector<float> logits;
    for (size_t v = 0; v < vocabulary; ++v) {
      double sum = 0;
      for (size_t c = 0; c < width; ++c)
        sum += x[(ids.size() - 1) * width + c] * table[v * width + c];
      logits.push_back(float(sum));
    }
    return logits;
  }

private:
  Matrix read(const std::string &name) const {
    const StoredTensor *tensor = file.find(name);
    if (!tensor || tensor->dtype != DType::f32)
      throw std::runtime_error(name + ": expected an f32 tensor");
    std::vector<float> values(tensor->sizeInBytes / sizeof(float));
    std::memcpy(values.data(), tensor->data, tensor->sizeInBytes);
    return Matrix(values.begin(), values.end());
  }

  Matrix embed(const std::vector<int64_t> &ids) const {
    Matrix x(ids.size() * width);
    for (size_t s = 0; s < ids.size(); ++s)
      for (size_t c = 0; c < width; ++c) {
        double angle = double(s) * std::pow(10000.0, -2.0 * double(c / 2) / double(width));
        x[s * width + c] = table[size_t(ids[s]) * width + c] * std::sqrt(double(width)) +
                           (c % 2 == 0 ? std::sin(angle) : std::cos(angle));
      }
    return x;
  }

  /// x [S, K] times rows [begin, begin + columns) of weight [N, K], transposed, plus bias.
  static Matrix linear(const Matrix &x, size_t inner, const Matrix &weight, const Matrix &bias, size_t begin,
                       size_t columns) {
    Matrix result(x.size() / inner * columns);
    for (size_t row = 0; row < x.size() / inner; ++row)
      for (size_t n = 0; n < columns; ++n) {
        double sum = bias[begin + n];
        for (size_t k = 0; k < inner; ++k)
          sum += x[row * inner + k] * weight[(begin + n) * inner + k];
        result[row * columns + n] = sum;
      }
    return result;
  }

  Matrix feedForward(const Matrix &x, const std::string &prefix) const {
    Matrix bias = read(prefix + "linear1.bias");
    Matrix hidden = linear(x, width, read(prefix + "linear1.weight"), bias, 0, bias.size());
    for (double &v : hidden)
      v = std::max(v, 0.0);
    return linear(hidden, bias.size(), read(prefix + "linear2.weight"), read(prefix + "linear2.bias"), 0,
                  width);
  }

  Matrix attention(const Matrix &x, const Matrix &source, const std::string &prefix, bool causal) const {
    Matrix weight = read(prefix + "in_proj_weight"), bias = read(prefix + "in_proj_bias");
    Matrix q = linear(x, width, weight, bias, 0, width),
           k = linear(source, width, weight, bias, width, width);
    Matrix v = linear(source, width, weight, bias, 2 * width, width), result(q.size());
    size_t headSize = width / numHeads;
    for (size_t head = 0; head < numHeads; ++head)
      for (size_t s = 0; s < x.size() / width; ++s) {
        size_t visible = causal ? s + 1 : source.size() / width;
        Matrix weights;
        double sum = 0;
        for (size_t t = 0; t < visible; ++t) {
          double score = 0;
          for (size_t d = head * headSize; d < (head + 1) * headSize; ++d)
            score += q[s * width + d] * k[t * width + d];
          weights.push_back(std::exp(score / std::sqrt(double(headSize))));
          sum += weights.back();
        }
        for (size_t t = 0; t < visible; ++t)
          for (size_t d = head * headSize; d < (head + 1) * headSize; ++d)
            result[s * width + d] += weights[t] / sum * v[t * width + d];
      }
    return linear(result, width, read(prefix + "out_proj.weight"), read(prefix + "out_proj.bias"), 0, width);
  }

  Matrix addAndNorm(Matrix x, const Matrix &y, const std::string &prefix) const {
    Matrix scale = read(prefix + "weight"), shift = read(prefix + "bias");
    for (size_t row = 0; row < x.size(); row += width) {
      double mean = 0, variance = 0;
      for (size_t c = 0; c < width; ++c) {
        x[row + c] += y[row + c];
        mean += x[row + c] / double(width);
      }
      for (size_t c = 0; c < width; ++c)
        variance += (x[row + c] - mean) * (x[row + c] - mean) / double(width);
      for (size_t c = 0; c < width; ++c)
        x[row + c] = (x[row + c] - mean) / std::sqrt(variance + epsilon) * scale[c] + shift[c];
    }
    return x;
  }

  SafetensorsFile file;
  size_t width, numHeads, numEncoderLayers, numDecoderLayers, vocabulary;
  double epsilon;
  Matrix table;
};

} // namespace sesame::test

#endif // SESAME_TEST_GENERATE_TRANSFORMERREFERENCE_H
