//===- Random.h - Counter-based random numbers ------------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_GENERATE_RANDOM_H
#define SESAME_GENERATE_RANDOM_H

#include <array>
#include <cstdint>

namespace sesame {

/// Philox 4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"): four
/// random words as a pure function of a 64-bit key and a 128-bit counter. There is no state to carry or to
/// share: the draw for row r at step t depends on the seed, r and t alone, whatever else is in the batch and
/// whatever was drawn before.
inline std::array<uint32_t, 4> philox(uint64_t key, std::array<uint32_t, 4> counter) {
  uint32_t key0 = uint32_t(key), key1 = uint32_t(key >> 32);
  for (int round = 0; round < 10; ++round) {
    uint64_t product0 = uint64_t(0xD2511F53u) * counter[0];
    uint64_t product1 = uint64_t(0xCD9E8D57u) * counter[2];
    counter = {uint32_t(product1 >> 32) ^ counter[1] ^ key0, uint32_t(product1),
               uint32_t(product0 >> 32) ^ counter[3] ^ key1, uint32_t(product0)};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return counter;
}

/// Uniform in [0, 1), a multiple of 2^-53. `draw` tells the draws of one row and step apart.
inline double uniform(uint64_t seed, uint64_t row, uint32_t step, uint32_t draw) {
  std::array<uint32_t, 4> words = philox(seed, {draw, step, uint32_t(row), uint32_t(row >> 32)});
  uint64_t bits = (uint64_t(words[0]) << 32 | words[1]) >> 11;
  return double(bits) * 0x1p-53;
}

} // namespace sesame

#endif // SESAME_GENERATE_RANDOM_H
