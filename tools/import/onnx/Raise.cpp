//===- Raise.cpp - Patterns of primitive nodes as ops of their own --------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Exporters take attention, norms and activations apart. Each pattern here is tried at the last node of what
// it stands for, and looks backwards through the terms that led there. What the pattern replaces stays in the
// IR only if something else reads it.
//
//===----------------------------------------------------------------------===//

#include "Translator.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;

namespace sesame::onnx {

namespace ops = mlir::sesame;

namespace {

/// How far patterns look back along chains of one kind of node, which hostile graphs make as long as they
/// like.
constexpr unsigned maxChain = 8;

bool isNear(double value, double wanted) { return std::abs(value - wanted) <= 1e-4 * std::abs(wanted); }

bool isNumber(const Term *term, double wanted) { return term->number && isNear(*term->number, wanted); }

/// The two operands of an op, the one that `isFirst` holds for in front; null if it holds for none.
template <typename Predicate>
std::pair<Term *, Term *> ordered(ArrayRef<Term *> operands, Predicate isFirst) {
  if (operands.size() == 2 && operands[0] && operands[1]) {
    if (isFirst(operands[0]))
      return {operands[0], operands[1]};
    if (isFirst(operands[1]))
      return {operands[1], operands[0]};
  }
  return {nullptr, nullptr};
}

bool isKnownNumber(const Term *term) { return term->number.has_value(); }

/// One product or quotient with a number taken off: the number and what is left, or null.
std::pair<double, Term *> unscale(const Term *x) {
  if (x->isA("Mul")) {
    auto [number, rest] = ordered(x->operands, isKnownNumber);
    if (rest && rest->dims == x->dims)
      return {*number->number, rest};
  } else if (x->isA("Div") && x->operands[1]->number && x->operands[0]->dims == x->dims) {
    return {1.0 / *x->operands[1]->number, x->operands[0]};
  }
  return {1, nullptr};
}

/// The factors of a product apart from numbers, which are multiplied into `scale`; `stop` is a factor as a
/// whole.
void collectFactors(Term *x, const Term *stop, double &scale, SmallVectorImpl<Term *> &factors,
                    unsigned depth = 0) {
  bool isLeaf = x == stop || depth == maxChain || factors.size() >= maxChain;
  if (x != stop && x->number) {
    scale *= *x->number;
  } else if (!isLeaf && x->isA("Mul")) {
    for (Term *operand : x->operands)
      collectFactors(operand, stop, scale, factors, depth + 1);
  } else if (auto [factor, rest] = unscale(x); !isLeaf && rest) {
    scale *= factor;
    collectFactors(rest, stop, scale, factors, depth + 1);
  } else {
    factors.push_back(x);
  }
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

/// Whether `arg` is sqrt(2 / pi) (x + 0.044715 x^3).
bool isTanhArgument(Term *arg, const Term *x) {
  auto [factor, sum] = unscale(arg);
  if (!sum || !isNear(factor, std::sqrt(2 / M_PI)) || !sum->isA("Add"))
    return false;
  auto [first, cube] = ordered(sum->operands, [&](Term *term) { return term == x; });
  if (!first)
    return false;
  double scale = 1;
  SmallVector<Term *> factors;
  collectFactors(cube, x, scale, factors);
  bool isCube = factors.size() == 3 && llvm::all_equal(factors) && factors[0] == x;
  if (factors.size() == 1 && factors[0]->isA("Pow"))
    isCube = factors[0]->operands[0] == x && isNumber(factors[0]->operands[1], 3);
  return isCube && isNear(scale, 0.044715);
}

/// The activation of `x` whose last factor is `gate`, a product with `scale` and x.
std::optional<ops::Activation> activationOf(Term *gate, Term *x, double scale) {
  if (gate->isA("Sigmoid") && isNear(scale, 1)) {
    Term *arg = gate->operands[0];
    if (arg == x)
      return ops::Activation::silu;
    if (auto [factor, rest] = unscale(arg); rest == x && isNear(factor, 1.702))
      return ops::Activation::gelu_quick;
  }
  if (!gate->isA("Add") || !isNear(scale, 0.5))
    return std::nullopt;
  auto [one, function] = ordered(gate->operands, [](Term *term) { return isNumber(term, 1); });
  if (!one)
    return std::nullopt;
  if (function->isA("Erf"))
    if (auto [factor, rest] = unscale(function->operands[0]); rest == x && isNear(factor, std::sqrt(0.5)))
      return ops::Activation::gelu;
  if (function->isA("Tanh") && isTanhArgument(function->operands[0], x))
    return ops::Activation::gelu_tanh;
  return std::nullopt;
}

/// What the function in a gate is of, as far as it can be said without knowing the activation.
SmallVector<Term *> gateArguments(Term *gate) {
  Term *function = gate;
  if (gate->isA("Add"))
    function = ordered(gate->operands, [](Term *term) { return isNumber(term, 1); }).second;
  if (!function || !(function->isA("Erf") || function->isA("Tanh") || function->isA("Sigmoid")))
    return {};
  Term *arg = function->operands[0];
  SmallVector<Term *> candidates = {arg};
  if (Term *rest = unscale(arg).second) {
    candidates.push_back(rest);
    if (rest->isA("Add"))
      candidates.append(rest->operands.begin(), rest->operands.end());
  }
  return candidates;
}

/// x * gate(x), in whatever order it is multiplied.
Term *raiseActivation(Call &call) {
  if (call.node.opType != "Mul" || call.inputs.size() != 2)
    return nullptr;
  double ignored = 1;
  SmallVector<Term *> all;
  for (Term *input : call.inputs)
    collectFactors(input, nullptr, ignored, all);
  for (Term *gate : all)
    for (Term *x : gateArguments(gate)) {
      double scale = 1;
      SmallVector<Term *> factors;
      for (Term *input : call.inputs)
        collectFactors(input, x, scale, factors);
      if (factors.size() != 2 || !llvm::is_contained(factors, gate) || !llvm::is_contained(factors, x) ||
          x->dims != gate->dims)
        continue;
      if (std::optional<ops::Activation> kind = activationOf(gate, x, scale)) {
        ++call.translator.raised["activation"];
        return call.translator.activation(*kind, x);
      }
    }
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

/// Whether `term` is the mean of `of` over its last axis, which is kept.
bool isLastMean(const Term *term, const Term *of) {
  if (!term->isA("ReduceMean") || term->operands[0] != of || term->rank() != of->rank() || of->rank() == 0)
    return false;
  Dims dims = of->dims;
  dims.back() = 1;
  return term->dims == dims && !of->dims.back().is(1);
}

/// The epsilon if `term` is sqrt(mean(x^2) + epsilon).
std::optional<float> rootMeanSquare(const Term *term, const Term *x) {
  if (!term->isA("Sqrt") || !term->operands[0]->isA("Add"))
    return std::nullopt;
  auto [epsilon, mean] = ordered(term->operands[0]->operands, isKnownNumber);
  if (!epsilon || !mean->isA("ReduceMean"))
    return std::nullopt;
  Term *square = mean->operands[0];
  bool isSquare = (square->isA("Pow") && square->operands[0] == x && isNumber(square->operands[1], 2)) ||
                  (square->isA("Mul") && square->operands[0] == x && square->operands[1] == x);
  if (!isSquare || !isLastMean(mean, square))
    return std::nullopt;
  return epsilon->number;
}

/// The x and epsilon if `term` is x / sqrt(mean(x^2) + epsilon), the division in one of its forms.
std::pair<Term *, float> normalized(const Term *term) {
  SmallVector<std::pair<Term *, Term *>> candidates; // x and the root
  if (term->isA("Div"))
    candidates.push_back({term->operands[0], term->operands[1]});
  if (term->isA("Mul"))
    for (int i : {0, 1}) {
      Term *inverse = term->operands[i], *x = term->operands[1 - i];
      if (inverse->isA("Reciprocal"))
        candidates.push_back({x, inverse->operands[0]});
      if (inverse->isA("Div") && isNumber(inverse->operands[0], 1))
        candidates.push_back({x, inverse->operands[1]});
    }
  for (auto [x, root] : candidates)
    if (std::optional<float> epsilon = rootMeanSquare(root, x))
      return {x, *epsilon};
  return {nullptr, 0};
}

bool isVectorWeight(const Term *term) { return term->weight && term->rank() == 1; }

Term *raiseRmsNorm(Call &call) {
  if (call.node.opType != "Mul")
    return nullptr;
  Translator &t = call.translator;
  auto [weight, rest] = ordered(call.inputs, isVectorWeight);
  auto [x, epsilon] = weight ? normalized(rest) : std::pair<Term *, float>(nullptr, 0);
  if (!x || weight->dims[0] != x->dims.back())
    return nullptr;
  ++t.raised["rms_norm"];
  Value input = t.materialize(x), scale = t.materialize(weight);
  return t.tensor(Kind::f32, x->dims,
                  ops::RMSNormOp::create(t.builder, t.loc, input.getType(), input, scale,
                                         t.builder.getF32FloatAttr(epsilon), t.builder.getF32FloatAttr(0)));
}

/// (x - mean) / sqrt(variance + epsilon) * weight + bias.
Term *raiseLayerNorm(Call &call) {
  if (call.node.opType != "Add")
    return nullptr;
  Translator &t = call.translator;
  auto [bias, scaled] = ordered(call.inputs, isVectorWeight);
  if (!bias || !scaled->isA("Mul"))
    return nullptr;
  auto [weight, rest] = ordered(scaled->operands, isVectorWeight);
  auto [difference, epsilon] = weight ? normalized(rest) : std::pair<Term *, float>(nullptr, 0);
  if (!difference || !difference->isA("Sub"))
    return nullptr;
  Term *x = difference->operands[0];
  if (!isLastMean(difference->operands[1], x) || weight->dims[0] != x->dims.back() ||
      bias->dims != weight->dims)
    return nullptr;
  ++t.raised["layer_norm"];
  Value input = t.materialize(x), scale = t.materialize(weight), offset = t.materialize(bias);
  return t.tensor(Kind::f32, x->dims,
                  ops::LayerNormOp::create(t.builder, t.loc, input.getType(), input, scale, offset,
                                           t.builder.getF32FloatAttr(epsilon)));
}

//===----------------------------------------------------------------------===//
// Linear maps and tables
//===----------------------------------------------------------------------===//

/// The sum of rows of several tables: tokens, positions, segments.
Term *raiseEmbeddingSum(Call &call) {
  if (call.node.opType != "Add" || call.inputs.size() != 2)
    return nullptr;
  Translator &t = call.translator;
  SmallVector<Value> indices, tables;
  for (Term *input : call.inputs) {
    auto embedding = input->ir ? input->ir.getDefiningOp<ops::EmbeddingOp>() : ops::EmbeddingOp();
    if (!embedding || input->rank() != call.input(0)->rank())
      return nullptr;
    llvm::append_range(indices, embedding.getIndices());
    llvm::append_range(tables, embedding.getTables());
  }
  Dims dims = t.broadcastDims(call.input(0)->dims, call.input(1)->dims);
  if (dims.back() != call.input(0)->dims.back() || dims.back() != call.input(1)->dims.back())
    return nullptr;
  ++t.raised["embedding"];
  return t.tensor(Kind::f32, dims,
                  ops::EmbeddingOp::create(t.builder, t.loc, t.typeOf(Kind::f32, dims), indices, tables));
}

/// A bias added to the product with a weight.
Term *raiseBias(Call &call) {
  if (call.node.opType != "Add")
    return nullptr;
  auto [bias, product] = ordered(call.inputs, isVectorWeight);
  if (!bias || !product->isA("MatMul") || !product->ir || !product->ir.getDefiningOp<ops::LinearOp>())
    return nullptr;
  Term *x = product->operands[0], *weight = product->operands[1];
  if (x->rank() < 2 || bias->dims[0] != product->dims.back())
    return nullptr;
  ++call.translator.raised["linear"];
  return call.translator.linear(x, weight, bias);
}

/// A linear on rows [B * S, K] that were [B, S, K] and become [B, S, N]: the same on [B, S, K].
Term *raiseRows(Call &call) {
  if (call.node.opType != "Reshape" || !call.input(0)->isA("Gemm") || !call.optional(1)->integers)
    return nullptr;
  Translator &t = call.translator;
  Term *product = call.input(0), *rows = product->operands[0];
  auto linear = product->ir ? product->ir.getDefiningOp<ops::LinearOp>() : ops::LinearOp();
  if (!linear || !rows->isA("Reshape") || rows->ir != linear.getInput())
    return nullptr;
  Term *x = rows->operands[0];
  Dims dims = x->dims;
  if (dims.empty() || dims.back() != rows->dims.back() || rows->rank() != 2)
    return nullptr;
  dims.back() = product->dims.back();
  // The node may say extents by -1.
  const std::vector<Extent> &wanted = *call.input(1)->integers;
  bool fits = wanted.size() == dims.size();
  for (size_t axis = 0; fits && axis < dims.size(); ++axis)
    fits = wanted[axis] == dims[axis] || wanted[axis].is(-1);
  if (!fits)
    return nullptr;
  ++t.raised["linear"];
  Value input = t.materialize(x);
  return t.tensor(Kind::f32, dims,
                  ops::LinearOp::create(t.builder, t.loc, t.typeOf(Kind::f32, dims), input,
                                        linear.getWeight(), linear.getBias(), Value(), linear.getLayout(),
                                        linear.getActivation()));
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// x with numbers that it is multiplied by taken off into `scale`.
Term *withoutScale(Term *x, double &scale) {
  for (unsigned i = 0; i < maxChain; ++i) {
    auto [factor, rest] = unscale(x);
    if (!rest)
      break;
    scale *= factor;
    x = rest;
  }
  return x;
}

/// [B, H, D, T] as [B, H, T, D]: the transpose that made it is composed with this one.
Term *untransposed(Translator &t, Term *x) {
  SmallVector<int64_t> order = {0, 1, 3, 2};
  if (x->isA("Transpose")) {
    const Attribute *given = x->node->find("perm");
    if (given && given->integers.size() == 4) {
      const std::vector<int64_t> &perm = given->integers;
      return t.transpose(x->operands[0], {perm[0], perm[1], perm[3], perm[2]});
    }
  }
  return t.transpose(x, order);
}

/// Whether an integer or boolean tensor is surely not 0.
bool isTrue(Translator &t, const Term *x) {
  std::optional<Bounds> bounds = t.boundsOf(x);
  return bounds && bounds->low.lowerBound().value_or(0) >= 1;
}

/// The same tensor up to broadcasting, without what only makes it larger: conditions that always hold, and
/// Expand. An encoder's mask over [B, 1, S, T] is one over [B, 1, 1, T].
Term *narrow(Call &call, Term *x, unsigned depth = 0) {
  Translator &t = call.translator;
  if (depth > 2 * maxChain)
    return x;
  auto [it, isNew] = t.narrowed.emplace(x, x);
  if (!isNew)
    return it->second;
  Term *result = x;
  if (x->isA("Expand")) {
    result = narrow(call, x->operands[0], depth + 1);
  } else if (x->isA("And")) {
    Term *a = narrow(call, x->operands[0], depth + 1), *b = narrow(call, x->operands[1], depth + 1);
    if (isTrue(t, a) || isTrue(t, b))
      result = isTrue(t, a) ? b : a;
  } else if (x->isA("Where") && x->operands[1]->number && x->operands[2]->number) {
    Term *condition = narrow(call, x->operands[0], depth + 1), *yes = x->operands[1], *no = x->operands[2];
    if (condition->dims != x->dims)
      result =
          t.expression(x->kind, condition->dims, {condition, yes, no},
                       [&t, condition, yes, no](Scalars s, ValueRange indices) {
                         Value chosen = t.at(condition, s, indices);
                         return s.select(chosen, s.constantF32(*yes->number), s.constantF32(*no->number));
                       });
  }
  return t.narrowed[x] = result;
}

/// Whether `x` counts the places of `axis` (from the end) from 0 on, and is the same along the others.
bool isPosition(const Term *x, int64_t axis) {
  for (int64_t other = 1; other <= x->rank(); ++other)
    if (other != axis && !x->dims[x->rank() - other].is(1))
      return false;
  for (unsigned i = 0; i < maxChain; ++i)
    if (x->isA("Unsqueeze") || x->isA("Reshape") || x->isA("Squeeze") || x->isA("Cast"))
      x = x->operands[0];
  return x->isA("Range") && x->operands[0]->integers && x->operands[0]->integers->front().is(0) &&
         x->operands[2]->integers && x->operands[2]->integers->front().is(1);
}

/// Whether adding `x` to scores [.., S, T] hides exactly the keys behind the query, S and T being equal.
bool isCausal(const Term *x, const Dims &scores) {
  if (!x->isA("Where") || !x->operands[1]->number || !x->operands[2]->number ||
      *x->operands[1]->number != 0 || *x->operands[2]->number > -1e30f ||
      scores[scores.size() - 2] != scores.back())
    return false;
  const Term *condition = x->operands[0];
  if (condition->isA("LessOrEqual"))
    return isPosition(condition->operands[0], 1) && isPosition(condition->operands[1], 2);
  return condition->isA("GreaterOrEqual") && isPosition(condition->operands[0], 2) &&
         isPosition(condition->operands[1], 1);
}

/// What is added to the scores, as a bias [B or 1, H or 1, S or 1, T].
Term *biasOf(Call &call, ArrayRef<Term *> summands, const Dims &scores) {
  Translator &t = call.translator;
  std::vector<const Term *> key(summands.begin(), summands.end());
  Term *&bias = t.biases[key];
  if (bias || summands.empty())
    return bias;
  for (Term *summand : summands) {
    summand = narrow(call, summand);
    bias = bias ? t.add(bias, summand) : summand;
  }
  Dims dims = bias->dims;
  while (dims.size() < 4)
    dims.insert(dims.begin(), 1);
  bias = t.reshape(bias, dims);
  dims.back() = scores.back();
  return bias = t.broadcast(bias, dims);
}

/// softmax(q * k * scale + bias) * v on heads [B, H, S, D].
Term *raiseAttention(Call &call) {
  if (call.node.opType != "MatMul" || call.inputs.size() != 2)
    return nullptr;
  Translator &t = call.translator;
  Term *weights = call.input(0), *value = call.input(1);
  if (!weights->isA("Softmax") || weights->rank() != 4 || value->rank() != 4)
    return nullptr;
  const Attribute *axis = weights->node->find("axis");
  if (axis && axis->integer != -1 && axis->integer != 3)
    return nullptr;
  double scale = 1;
  SmallVector<Term *> summands;
  Term *scores = weights->operands[0];
  const Dims dims = scores->dims;
  while (scores->isA("Add") && summands.size() < maxChain) {
    // The scores are what leads to a product of heads; the bias may be anything of its shape.
    auto leadsToProduct = [&](Term *term) {
      double ignored = 1;
      Term *inner = withoutScale(term, ignored);
      return term->dims == dims && (inner->isA("MatMul") || term->isA("Add"));
    };
    auto [inner, bias] = ordered(scores->operands, leadsToProduct);
    if (!inner)
      return nullptr;
    summands.push_back(bias);
    scores = inner;
  }
  scores = withoutScale(scores, scale);
  if (!scores->isA("MatMul") || scores->dims != dims || scores->operands[0]->rank() != 4 ||
      scores->operands[1]->rank() != 4)
    return nullptr;
  Term *query = withoutScale(scores->operands[0], scale), *keys = withoutScale(scores->operands[1], scale);
  for (int64_t i : {0, 1})
    if (query->dims[i] != keys->dims[i] || query->dims[i] != value->dims[i])
      return nullptr;
  // Head sizes and counts are part of the code.
  if (!query->dims[1].constant() || !query->dims[3].constant() || !value->dims[3].constant() ||
      keys->dims[3] != value->dims[2])
    return nullptr;
  for (Term *summand : summands)
    if (!summand->isFloat() || summand->rank() > 4)
      return nullptr;

  ++t.raised["attention"];
  bool hidesLater = summands.size() == 1 && isCausal(summands.front(), dims);
  Term *bias = hidesLater ? nullptr : biasOf(call, summands, dims);
  Term *key = untransposed(t, keys);
  Value q = t.materialize(query), k = t.materialize(key), v = t.materialize(value),
        b = bias ? t.materialize(bias) : Value();
  Dims result = query->dims;
  result.back() = value->dims.back();
  return t.tensor(Kind::f32, result,
                  ops::AttentionOp::create(t.builder, t.loc, t.typeOf(Kind::f32, result), q, k, v, Value(), b,
                                           hidesLater ? t.builder.getUnitAttr() : UnitAttr(), IntegerAttr(),
                                           t.builder.getF32FloatAttr(static_cast<float>(scale)),
                                           FloatAttr()));
}

} // namespace

Term *raise(Call &call) {
  for (Term *input : call.inputs)
    if (!input || (!input->isFloat() && call.node.opType != "Reshape"))
      return nullptr;
  for (auto pattern : {raiseActivation, raiseRmsNorm, raiseLayerNorm, raiseEmbeddingSum, raiseBias, raiseRows,
                       raiseAttention})
    if (Term *term = pattern(call))
      return term;
  return nullptr;
}

} // namespace sesame::onnx
