//===- TopK.h - The k largest of many numbers -------------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_GENERATE_TOPK_H
#define SESAME_GENERATE_TOPK_H

#include <algorithm>
#include <cstdint>
#include <vector>

namespace sesame {

/// Keeps the `k` largest of the numbers it is shown, of equal ones those with the smallest index. Memory is
/// taken once, by the constructor.
class TopK {
public:
  struct Entry {
    float value;
    int64_t index;
  };

  explicit TopK(int64_t k) : limit(size_t(k)) { heap.reserve(limit); }

  void clear() { heap.clear(); }

  /// Shows row[0..size), whose indices start at `firstIndex`. Rows must come in the order of their indices.
  void scan(const float *row, int64_t size, int64_t firstIndex = 0) {
    int64_t i = 0;
    for (; i < size && heap.size() < limit; ++i)
      push(row[i], firstIndex + i);
    // Once the heap is full nearly no number enters it: look at blocks first.
    constexpr int64_t block = 64;
    for (; i + block <= size; i += block) {
      float threshold = heap.front().value;
      uint32_t above = 0;
      for (int64_t j = 0; j < block; ++j)
        above |= uint32_t(row[i + j] > threshold);
      if (above)
        for (int64_t j = i; j < i + block; ++j)
          push(row[j], firstIndex + j);
    }
    for (; i < size; ++i)
      push(row[i], firstIndex + i);
  }

  /// Shows one number.
  void push(float value, int64_t index) {
    if (heap.size() == limit) {
      if (!better({value, index}, heap.front()))
        return;
      std::pop_heap(heap.begin(), heap.end(), better);
      heap.back() = {value, index};
    } else {
      heap.push_back({value, index});
    }
    std::push_heap(heap.begin(), heap.end(), better);
  }

  /// The smallest number that was kept. There must be one.
  float threshold() const { return heap.front().value; }

  /// What was kept, best first; the next call has to be `clear`.
  const std::vector<Entry> &sorted() {
    std::sort_heap(heap.begin(), heap.end(), better);
    return heap;
  }

private:
  /// As the heap's "less" it puts the worst entry on top. An index decides between equal values.
  static bool better(const Entry &a, const Entry &b) {
    return a.value > b.value || (a.value == b.value && a.index < b.index);
  }

  size_t limit;
  std::vector<Entry> heap;
};

} // namespace sesame

#endif // SESAME_GENERATE_TOPK_H
