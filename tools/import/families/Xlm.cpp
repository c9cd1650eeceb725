//===- Xlm.cpp - XLM and FlauBERT -----------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lample and Conneau 2019, Le et al. 2020; transformers/models/xlm/modeling_xlm.py and
// flaubert/modeling_flaubert.py. Hidden states of padding are zeroed after every layer.
//
//===----------------------------------------------------------------------===//

#include "../BeamAnswers.h"
#include "../Encoder.h"

using namespace mlir;

namespace sesame::importer {

namespace {

EncoderSizes readSizes(const Config &c) {
  EncoderSizes sizes;
  sizes.width = c.extent("emb_dim", 2048);
  sizes.heads = c.divisor("n_heads", "emb_dim", sizes.width, 16);
  sizes.layers = c.layers("n_layers", 12);
  sizes.inner = 4 * sizes.width;
  sizes.vocab = c.extent("vocab_size", c.extent("n_words", 30145));
  sizes.maxLength = c.extent("max_position_embeddings", 512);
  // Languages are the types here.
  int64_t languages = c.extent("n_langs", 1);
  sizes.types = languages > 1 && c.flag("use_lang_emb", true) ? languages : 0;
  sizes.embeddingWidth = sizes.width;
  sizes.activation =
      c.flag("gelu_activation", true) ? mlir::sesame::Activation::gelu : mlir::sesame::Activation::relu;
  sizes.epsilon = c.epsilon("layer_norm_eps", 1e-12);
  sizes.tied = c.flag("tie_word_embeddings", true);
  return sizes;
}

BlockNames readNames() {
  BlockNames names;
  names.query = "transformer.attentions.{}.q_lin";
  names.key = "transformer.attentions.{}.k_lin";
  names.value = "transformer.attentions.{}.v_lin";
  names.attentionOutput = "transformer.attentions.{}.out_lin";
  names.attentionNorm = "transformer.layer_norm1.{}";
  names.inner = "transformer.ffns.{}.lin1";
  names.output = "transformer.ffns.{}.lin2";
  names.outputNorm = "transformer.layer_norm2.{}";
  return names;
}

class Xlm : public Encoder {
public:
  explicit Xlm(ModelBuilder &b) : Encoder(b, "transformer.", readSizes(b.config), readNames()) {
    const Config &c = b.config;
    causal = c.flag("causal", false);
    preNorm = c.flag("pre_norm", false);
    c.refuseFlag("asm", "the adaptive softmax is not supported");
    if (!c.flag("is_encoder", true))
      c.fail("is_encoder", "decoders are not supported");
  }

  void beamQuestionAnswering() {
    beamAnswers(b, "qa_outputs.", beginForward(), sizes.epsilon);
    b.endEntry();
  }

private:
  std::string poolerName() const override { return ""; }

  Inputs beginInputs(const ModelBuilder::Dims &dims) override {
    b.beginEntry("forward", {{"S", sizes.maxLength}});
    Inputs in;
    in.ids = b.idInput("input_ids", dims, sizes.vocab);
    in.mask = b.maskInput(dims);
    if (sizes.types)
      in.types = b.idInput("langs", dims, sizes.types);
    in.positions = b.idInput("position_ids", dims, sizes.maxLength, "arange");
    return in;
  }

  Value embed(const Inputs &in) override {
    auto table = [&](const char *name, int64_t rows) { return b.weight(prefix + name, {rows, sizes.width}); };
    Value words = b.inputTable("transformer.embeddings.weight", "pred_layer.proj.weight",
                               {sizes.vocab, sizes.width}, sizes.tied);
    SmallVector<std::pair<Value, Value>> parts = {
        {in.ids, words}, {in.positions, table("position_embeddings.weight", sizes.maxLength)}};
    if (in.types)
      parts.push_back({in.types, table("lang_embeddings.weight", sizes.types)});
    return zeroMasked(b, b.layerNorm("transformer.layer_norm_emb", b.embedding(parts), sizes.epsilon),
                      in.mask);
  }

  /// h + part(h) with the norm before or after.
  Value residual(const NamePattern &norm, Value h, llvm::function_ref<Value(Value)> part) {
    if (preNorm)
      return b.add(h, part(b.layerNorm(norm, h, sizes.epsilon)));
    return b.layerNorm(norm, b.add(h, part(h)), sizes.epsilon);
  }

  Value block(Value h, Value mask, Cache *cache, ValueRange shared) override {
    h = residual(names.attentionNorm, h, [&](Value x) {
      // A causal model's attention sees padding, whose states are zeros.
      x = selfAttention(x, causal ? Value() : mask, cache, shared);
      return b.linear(names.attentionOutput, x, sizes.width);
    });
    h = residual(names.outputNorm, h, [&](Value x) {
      x = b.activation(sizes.activation, b.linear(names.inner, x, sizes.inner));
      return b.linear(names.output, x, sizes.width);
    });
    return zeroMasked(b, h, mask);
  }

  Value predictions(Value h) override {
    Value table = b.headWeight("pred_layer.proj.weight", "transformer.embeddings.weight",
                               {sizes.vocab, sizes.width}, sizes.tied);
    return b.linearBy(table, b.weight("pred_layer.proj.bias", {sizes.vocab}), h);
  }

  Value classify(Value h, int64_t labels) override {
    return sequenceSummary(b, "sequence_summary", h, labels, "first");
  }

  Value rate(Value h) override { return b.linear("logits_proj", classify(h, b.config.numLabels()), 1); }

  bool preNorm;
};

constexpr EncoderClasses xlmClasses = {"XLMModel",
                                       "XLMWithLMHeadModel",
                                       "XLMForSequenceClassification",
                                       "XLMForTokenClassification",
                                       "XLMForQuestionAnsweringSimple",
                                       "XLMForMultipleChoice"};
constexpr EncoderClasses flaubertClasses = {"FlaubertModel",
                                            "FlaubertWithLMHeadModel",
                                            "FlaubertForSequenceClassification",
                                            "FlaubertForTokenClassification",
                                            "FlaubertForQuestionAnsweringSimple",
                                            "FlaubertForMultipleChoice"};

constexpr const char *xlmBeams = "XLMForQuestionAnswering", *flaubertBeams = "FlaubertForQuestionAnswering";

template <const EncoderClasses &classes, const char *const &beams> Family makeFamily(const char *modelType) {
  std::vector<Architecture> architectures = encoderArchitectures<Xlm>(classes);
  architectures.push_back(
      {beams, "question-answering", [](ModelBuilder &b) { Xlm(b).beamQuestionAnswering(); }});
  return {modelType,
          "transformer.",
          architectures,
          [](const WeightSource &weights) {
            return classByHead(weights,
                               {{"pred_layer.proj.bias", classes.maskedLM},
                                {"logits_proj.weight", classes.multipleChoice},
                                {"sequence_summary.summary.weight", classes.sequenceClassification},
                                {"classifier.weight", classes.tokenClassification},
                                {"qa_outputs.weight", classes.questionAnswering},
                                {"qa_outputs.start_logits.dense.weight", beams}},
                               classes.base);
          },
          {"position_ids"}};
}

} // namespace

const Family &xlmFamily() {
  static const Family family = makeFamily<xlmClasses, xlmBeams>("xlm");
  return family;
}

const Family &flaubertFamily() {
  static const Family family = makeFamily<flaubertClasses, flaubertBeams>("flaubert");
  return family;
}

} // namespace sesame::importer
