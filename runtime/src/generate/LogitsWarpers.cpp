//===- LogitsWarpers.cpp - Cutting the tail off a distribution -----------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Warpers only ever take tokens away, so each works on the list of those that are
// left (ProcessorScratch::candidates): after a top-k of 50 the others cost next to
// nothing. None of them sorts the vocabulary; what has to be visited in order is
// popped from a heap until enough has been seen.
//
//===----------------------------------------------------------------------===//

#include "generate/LogitsProcessors.h"
#include "generate/RowMath.h"
#include "generate/TopK.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

using namespace sesame;

namespace {

constexpr float minusInfinity = -std::numeric_limits<float>::infinity();

void listCandidates(const float *scores, int64_t vocabSize, ProcessorScratch &scratch) {
  if (scratch.hasCandidates)
    return;
  int64_t count = 0;
  for (int64_t i = 0; i < vocabSize; ++i) {
    scratch.candidates[count] = int32_t(i);
    count += scores[i] > minusInfinity;
  }
  scratch.numCandidates = count;
  scratch.hasCandidates = true;
}

/// Keeps the candidates j (places in the list, not token ids) for which `keep(j)` holds.
template <typename Keep> void filter(float *scores, ProcessorScratch &scratch, Keep keep) {
  int64_t count = 0;
  for (int64_t j = 0; j < scratch.numCandidates; ++j) {
    int32_t token = scratch.candidates[j];
    if (keep(j))
      scratch.candidates[count++] = token;
    else
      scores[token] = minusInfinity;
  }
  scratch.numCandidates = count;
}

/// values[j] = exp(score of candidate j - largest score). Returns the sum; `largest` may be null.
double weigh(const float *scores, ProcessorScratch &scratch, float *largest = nullptr) {
  for (int64_t j = 0; j < scratch.numCandidates; ++j)
    scratch.values[j] = scores[scratch.candidates[j]];
  float shift = maximum(scratch.values.data(), scratch.numCandidates);
  if (largest)
    *largest = shift;
  return exponentials(scratch.values.data(), scratch.values.data(), scratch.numCandidates, shift);
}

/// The k-th largest score of the candidates; -inf if there are fewer.
float kthLargest(const float *scores, int64_t k, TopK &heap, ProcessorScratch &scratch) {
  if (k > scratch.numCandidates)
    return minusInfinity;
  heap.clear();
  for (int64_t j = 0; j < scratch.numCandidates; ++j)
    heap.push(scores[scratch.candidates[j]], j);
  return heap.threshold();
}

class Temperature : public LogitsProcessor {
public:
  explicit Temperature(double temperature) : temperature(float(temperature)) {}

  void apply(float *scores, int64_t vocabSize, const RowHistory &, ProcessorScratch &) override {
    for (int64_t i = 0; i < vocabSize; ++i)
      scores[i] /= temperature;
  }

private:
  float temperature;
};

/// Potraka et al. 2025 (top-H decoding): of the 100 best, as many as hold `topH` of their entropy.
class TopH : public LogitsProcessor {
public:
  explicit TopH(double topH) : topH(topH), heap(numConsidered) {}

  void apply(float *scores, int64_t vocabSize, const RowHistory &, ProcessorScratch &scratch) override {
    listCandidates(scores, vocabSize, scratch);
    if (scratch.numCandidates == 0)
      return;
    heap.clear();
    for (int64_t j = 0; j < scratch.numCandidates; ++j)
      heap.push(scores[scratch.candidates[j]], j);
    const std::vector<TopK::Entry> &best = heap.sorted();
    double sum = 0;
    for (const TopK::Entry &entry : best)
      sum += std::exp(double(entry.value) - best[0].value);
    auto surprise = [&](const TopK::Entry &entry) { // -p log p
      double logP = double(entry.value) - best[0].value - std::log(sum);
      return -std::exp(logP) * logP;
    };
    double entropy = 0;
    for (const TopK::Entry &entry : best)
      entropy += surprise(entry);
    std::fill_n(scratch.values.begin(), scratch.numCandidates, 0.0f);
    double seen = 0;
    for (size_t rank = 0; rank < best.size(); ++rank) {
      seen += surprise(best[rank]);
      if (rank > 0 && !(seen <= entropy * topH))
        break;
      scratch.values[best[rank].index] = 1;
    }
    filter(scores, scratch, [&](int64_t j) { return scratch.values[j] != 0; });
  }

private:
  static constexpr int64_t numConsidered = 100; // As in transformers' TopHLogitsWarper.
  double topH;
  TopK heap;
};

/// Fan et al. 2018, section 5.4: the k best, and what equals the last of them.
class TopKWarper : public LogitsProcessor {
public:
  TopKWarper(int64_t topK, int64_t minTokens)
      : count(std::max(topK, minTokens)), heap(count <= maxHeap ? count : 1) {}

  void apply(float *scores, int64_t vocabSize, const RowHistory &, ProcessorScratch &scratch) override {
    if (count >= vocabSize)
      return;
    float threshold;
    if (count <= maxHeap) {
      heap.clear();
      heap.scan(scores, vocabSize);
      threshold = heap.threshold();
    } else {
      for (int64_t i = 0; i < vocabSize; ++i) // nth_element runs out of its range if it meets NaN.
        scratch.values[i] = scores[i] != scores[i] ? minusInfinity : scores[i];
      auto nth = scratch.values.begin() + (count - 1);
      std::nth_element(scratch.values.begin(), nth, scratch.values.begin() + vocabSize,
                       std::greater<float>());
      threshold = *nth;
    }
    listCandidates(scores, vocabSize, scratch);
    filter(scores, scratch, [&](int64_t j) { return scores[scratch.candidates[j]] >= threshold; });
  }

private:
  static constexpr int64_t maxHeap = 256; // A larger heap is slower than nth_element over a GPT-2 vocabulary.
  int64_t count;
  TopK heap;
};

/// Holtzman et al. 2020 (nucleus sampling): the smallest set of best tokens that holds `topP` of the mass. Of
/// equal scores at its edge those with the larger ids stay, as a stable ascending sort has it.
class TopP : public LogitsProcessor {
public:
  TopP(double topP, int64_t minTokens) : topP(topP), minTokens(minTokens) {}

  void apply(float *scores, int64_t vocabSize, const RowHistory &, ProcessorScratch &scratch) override {
    listCandidates(scores, vocabSize, scratch);
    int64_t n = scratch.numCandidates;
    if (n == 0)
      return;
    double sum = weigh(scores, scratch), tail = (1 - topP) * sum;
    using Ordered = ProcessorScratch::Ordered;
    auto below = [](const Ordered &a, const Ordered &b) {
      return a.key < b.key || (a.key == b.key && a.place < b.place);
    };
    // Tokens lighter than tail / n make up less than the tail even together, so they are never visited.
    Ordered *order = scratch.order.data();
    auto gather = [&](double lightest) {
      int64_t count = 0;
      for (int64_t j = 0; j < n; ++j) {
        order[count] = {scores[scratch.candidates[j]], int32_t(j)};
        count += double(scratch.values[j]) >= lightest;
      }
      return count;
    };
    int64_t count = gather(tail / double(n));
    if (count < minTokens)
      count = gather(0);
    std::make_heap(order, order + count, below);
    double remaining = sum; // Mass of this token and of all that are less likely.
    for (int64_t kept = 0; kept < count && (kept < minTokens || remaining > tail); ++kept) {
      std::pop_heap(order, order + (count - kept), below);
      float &value = scratch.values[order[count - kept - 1].place];
      remaining -= value;
      value = -1; // Marks what is kept.
    }
    filter(scores, scratch, [&](int64_t j) { return scratch.values[j] < 0; });
  }

private:
  double topP;
  int64_t minTokens;
};

/// Keeps the candidates whose probability is at least some bound, and the `minTokens` best (with what equals
/// them).
class ProbabilityFloor : public LogitsProcessor {
public:
  explicit ProbabilityFloor(int64_t minTokens) : minTokens(minTokens), heap(minTokens) {}

  void apply(float *scores, int64_t vocabSize, const RowHistory &, ProcessorScratch &scratch) override {
    listCandidates(scores, vocabSize, scratch);
    if (scratch.numCandidates == 0)
      return;
    float best = kthLargest(scores, minTokens, heap, scratch);
    double sum = weigh(scores, scratch);
    double bound = floor(scratch, sum) * sum;
    filter(scores, scratch, [&](int64_t j) {
      return double(scratch.values[j]) >= bound || scores[scratch.candidates[j]] >= best;
    });
  }

protected:
  /// The bound, given the candidates' weights (largest 1) and their sum.
  virtual double floor(const ProcessorScratch &scratch, double sum) const = 0;

private:
  int64_t minTokens;
  TopK heap;
};

/// Nguyen et al. 2024 (min-p): at least `minP` of the best token's probability.
class MinP : public ProbabilityFloor {
public:
  MinP(double minP, int64_t minTokens) : ProbabilityFloor(minTokens), minP(minP) {}

protected:
  double floor(const ProcessorScratch &, double sum) const override { return double(float(minP)) / sum; }

private:
  double minP;
};

/// Hewitt et al. 2022 (truncation as desmoothing), section 4: epsilon sampling.
class EpsilonCutoff : public ProbabilityFloor {
public:
  EpsilonCutoff(double epsilon, int64_t minTokens) : ProbabilityFloor(minTokens), epsilon(epsilon) {}

protected:
  double floor(const ProcessorScratch &, double) const override { return epsilon; }

private:
  double epsilon;
};

/// Hewitt et al. 2022, eq. 4: a floor that sinks where the distribution is flat.
class EtaCutoff : public ProbabilityFloor {
public:
  EtaCutoff(double epsilon, int64_t minTokens) : ProbabilityFloor(minTokens), epsilon(epsilon) {}

protected:
  double floor(const ProcessorScratch &scratch, double sum) const override {
    double entropy = 0;
    for (int64_t j = 0; j < scratch.numCandidates; ++j)
      if (scratch.values[j] > 0) {
        double p = double(scratch.values[j]) / sum;
        entropy -= p * std::log(p);
      }
    return std::min(epsilon, std::sqrt(epsilon) * std::exp(-entropy));
  }

private:
  double epsilon;
};

/// Meister et al. 2023 (locally typical sampling): the tokens whose surprise is nearest to the entropy, until
/// they hold `mass`.
class Typical : public LogitsProcessor {
public:
  Typical(double mass, int64_t minTokens) : mass(mass), minTokens(minTokens) {}

  void apply(float *scores, int64_t vocabSize, const RowHistory &, ProcessorScratch &scratch) override {
    listCandidates(scores, vocabSize, scratch);
    int64_t n = scratch.numCandidates;
    if (n == 0)
      return;
    float largest;
    double sum = weigh(scores, scratch, &largest);
    double logSum = std::log(sum), entropy = 0;
    auto logP = [&](int64_t j) { return double(scores[scratch.candidates[j]]) - largest - logSum; };
    for (int64_t j = 0; j < n; ++j)
      entropy -= double(scratch.values[j]) / sum * logP(j);
    // In float, as transformers has it: tokens of equal score must stay equal here.
    auto distance = [&](int64_t j) { return std::fabs(float(-logP(j)) - float(entropy)); };
    using Ordered = ProcessorScratch::Ordered;
    auto farther = [](const Ordered &a, const Ordered &b) {
      return a.key > b.key || (a.key == b.key && a.place > b.place);
    };
    Ordered *order = scratch.order.data();
    for (int64_t j = 0; j < n; ++j)
      order[j] = {distance(j), int32_t(j)};
    std::make_heap(order, order + n, farther);
    double seen = 0;
    float threshold = std::numeric_limits<float>::infinity();
    bool enough = false;
    for (int64_t rank = 0; rank < n && (!enough || rank < minTokens); ++rank) {
      std::pop_heap(order, order + (n - rank), farther);
      auto [nearest, j] = order[n - rank - 1];
      seen += scratch.values[j];
      if (!enough && seen >= mass * sum) {
        threshold = nearest;
        enough = true;
      }
      if (rank < minTokens)
        scratch.values[j] = -1; // Marks what is kept whatever the threshold.
    }
    filter(scores, scratch, [&](int64_t j) { return scratch.values[j] < 0 || distance(j) <= threshold; });
  }

private:
  double mass;
  int64_t minTokens;
};

} // namespace

void sesame::appendWarpers(std::vector<std::unique_ptr<LogitsProcessor>> &list,
                           const GenerationConfig &config) {
  auto append = [&](auto *processor) { list.emplace_back(processor); };
  // A beam needs one token that does not end it.
  int64_t minTokens = 1;
  if (config.numBeams > 1)
    minTokens = std::max<int64_t>(2, int64_t(config.eosTokenId.size()) + 1);
  if (config.temperature != 1.0)
    append(new Temperature(config.temperature));
  if (config.topH)
    append(new TopH(*config.topH));
  if (config.topK > 0)
    append(new TopKWarper(config.topK, minTokens));
  if (config.topP < 1.0)
    append(new TopP(config.topP, minTokens));
  if (config.minP)
    append(new MinP(*config.minP, minTokens));
  if (config.typicalP < 1.0)
    append(new Typical(config.typicalP, minTokens));
  if (config.epsilonCutoff > 0.0)
    append(new EpsilonCutoff(config.epsilonCutoff, minTokens));
  if (config.etaCutoff > 0.0)
    append(new EtaCutoff(config.etaCutoff, minTokens));
}
