//===- RnnLm.cpp - Recurrent language models ------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Mikolov et al. 2010 and its successors with LSTM and GRU cells: embedding `encoder`, torch.nn.RNN, LSTM or
// GRU `rnn`, linear `decoder`. AWD-LSTM (Merity et al. 2018) has one module for each layer, the last one as
// wide as the embedding.
//
//===----------------------------------------------------------------------===//

#include "../Recurrent.h"
#include "../Registry.h"

#include "support/Error.h"

using namespace mlir;

namespace sesame::importer {

namespace {

class RnnLm {
public:
  RnnLm(ModelBuilder &b, std::optional<std::string> cell) : b(b) {
    const Config &c = b.config;
    options.cell = readCell(c, cell);
    vocab = c.extent("vocab_size");
    embeddingWidth = c.extent("embedding_size");
    options.hidden = c.extent("hidden_size");
    layers = c.layers("num_layers");
    if (options.cell == RecurrentCell::rnn &&
        c.choice("nonlinearity", {"tanh", "relu"}, std::string("tanh")) == "relu")
      options.activation = mlir::sesame::Activation::relu;
    // What else torch's constructor takes. 0 is torch's way to say that there is no projection.
    int64_t projection = c.integer("proj_size", 0, Config::maxExtent, 0);
    if (projection && options.cell != RecurrentCell::lstm)
      c.fail("proj_size",
             message("expected 0 for the cell ", inQuotes(c.text("cell", cell)), ", got ", projection));
    if (projection >= options.hidden)
      c.fail("proj_size", message("expected less than 'hidden_size' ", options.hidden, ", got ", projection));
    options.projection = projection;
    c.refuseFlag("bidirectional", "a language model reads from left to right");
    if (!c.flag("batch_first", true))
      c.fail("batch_first", "expected true: ids of shape [batch, length]");
    tied = c.flag("tie_weights", false);
    if (tied && options.width() != embeddingWidth)
      c.fail("tie_weights", message("expected layers as wide as 'embedding_size' ", embeddingWidth, ", got ",
                                    options.width()));
    b.info.vocabSize = vocab;
    b.info.hiddenSize = options.hidden;
    b.info.numLayers = layers;
  }

  void entries() {
    for (bool isStep : {false, true}) {
      b.beginEntry(isStep ? "decode" : "forward");
      Value ids = b.idInput("input_ids", {"B", "S"}, vocab);
      RecurrentStates states = stateInputs(b, layers, options, isStep);
      Value x = b.embedding({{ids, b.weight("encoder.weight", {vocab, embeddingWidth})}});
      x = recurrentStack(b, "rnn", layers, x, options, states);
      Value head = b.headWeight("decoder.weight", "encoder.weight", {vocab, options.width()}, tied);
      Value logits = b.linearBy(head, b.weight("decoder.bias", {vocab}), x); // [B, S, V]
      if (isStep)
        b.output("logits", b.selectLast(logits, 1), {"B", std::to_string(vocab)});
      else
        b.output("logits", logits, {"B", "S", std::to_string(vocab)});
      stateOutputs(b, layers, options, states, isStep);
      b.endEntry();
    }
  }

private:
  ModelBuilder &b;
  RecurrentOptions options;
  int64_t vocab, embeddingWidth, layers;
  bool tied;
};

/// AWD-LSTM: `rnns.0` ..., of which the last one is as wide as the embedding.
class AwdLm {
public:
  explicit AwdLm(ModelBuilder &b) : b(b) {
    const Config &c = b.config;
    vocab = c.extent("vocab_size");
    embeddingWidth = c.extent("embedding_size");
    options.hidden = c.extent("hidden_size");
    layers = c.layers("num_layers");
    tied = c.flag("tie_weights", true);
    last.hidden = embeddingWidth;
    b.info.vocabSize = vocab;
    b.info.hiddenSize = options.hidden;
    b.info.numLayers = layers;
  }

  void entries() {
    for (bool isStep : {false, true}) {
      b.beginEntry(isStep ? "decode" : "forward");
      Value ids = b.idInput("input_ids", {"B", "S"}, vocab);
      Value x = b.embedding({{ids, b.weight("encoder.weight", {vocab, embeddingWidth})}});
      RecurrentStates states, lastStates;
      if (isStep) {
        if (layers > 1)
          states = stateInputs(b, layers - 1, options, isStep);
        lastStates = stateInputs(b, 1, last, isStep, "last_");
      } else {
        if (layers > 1)
          states = emptyStates(b, layers - 1, x, options);
        lastStates = emptyStates(b, 1, x, last);
      }
      if (layers > 1)
        x = recurrentLayer(b, "rnns.0", "_l0", x, options, states, b.builder.getIndexAttr(0));
      if (layers > 2)
        x = recurrentLoop(b, "rnns", "rnns.{}", "_l0", {/*first=*/1, layers - 2}, x, options, states,
                          /*firstRow=*/1);
      x = recurrentLayer(b, "rnns." + std::to_string(layers - 1), "_l0", x, last, lastStates,
                         b.builder.getIndexAttr(0));
      Value head = b.headWeight("decoder.weight", "encoder.weight", {vocab, embeddingWidth}, tied);
      Value logits = b.linearBy(head, b.weight("decoder.bias", {vocab}), x); // [B, S, V]
      if (isStep) {
        b.output("logits", b.selectLast(logits, 1), {"B", std::to_string(vocab)});
        if (layers > 1)
          stateOutputs(b, layers - 1, options, states, isStep);
        stateOutputs(b, 1, last, lastStates, isStep, "last_");
      } else {
        b.output("logits", logits, {"B", "S", std::to_string(vocab)});
      }
      b.endEntry();
    }
  }

private:
  ModelBuilder &b;
  RecurrentOptions options, last;
  int64_t vocab, embeddingWidth, layers;
  bool tied;
};

} // namespace

const Family &rnnLmFamily() {
  static const Family family = {
      "rnn-lm",
      "model.",
      {{"RnnLM", "text-generation", [](ModelBuilder &b) { RnnLm(b, "rnn").entries(); }}},
  };
  return family;
}

const Family &lstmLmFamily() {
  static const Family family = {
      "lstm-lm",
      "model.",
      {{"RnnLM", "text-generation", [](ModelBuilder &b) { RnnLm(b, "lstm").entries(); }}},
  };
  return family;
}

const Family &gruLmFamily() {
  static const Family family = {
      "gru-lm",
      "model.",
      {{"RnnLM", "text-generation", [](ModelBuilder &b) { RnnLm(b, "gru").entries(); }}},
  };
  return family;
}

const Family &awdLstmLmFamily() {
  static const Family family = {
      "awd-lstm-lm", "model.", {{"AwdLM", "text-generation", [](ModelBuilder &b) { AwdLm(b).entries(); }}}};
  return family;
}

} // namespace sesame::importer
