//===- Hash.cpp -----------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "support/Hash.h"

using namespace sesame;

namespace {
// The specification's five primes.
constexpr uint64_t p1 = 0x9E3779B185EBCA87, p2 = 0xC2B2AE3D27D4EB4F, p3 = 0x165667B19E3779F9,
                   p4 = 0x85EBCA77C2B2AE63, p5 = 0x27D4EB2F165667C5;

uint64_t rotate(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }
uint64_t round(uint64_t accumulator, uint64_t lane) { return rotate(accumulator + lane * p2, 31) * p1; }
uint64_t merge(uint64_t accumulator, uint64_t lane) { return (accumulator ^ round(0, lane)) * p1 + p4; }

uint64_t load(const char *bytes, int count) {
  uint64_t value = 0;
  for (int i = 0; i < count; ++i)
    value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return value;
}
} // namespace

uint64_t sesame::xxh64(std::string_view bytes) {
  const char *next = bytes.data(), *end = next + bytes.size();
  uint64_t hash;
  if (bytes.size() >= 32) {
    uint64_t lanes[4] = {p1 + p2, p2, 0, 0 - p1};
    for (; end - next >= 32; next += 32)
      for (int i = 0; i < 4; ++i)
        lanes[i] = round(lanes[i], load(next + 8 * i, 8));
    hash = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
    for (uint64_t lane : lanes)
      hash = merge(hash, lane);
  } else {
    hash = p5;
  }
  hash += bytes.size();
  for (; end - next >= 8; next += 8)
    hash = rotate(hash ^ round(0, load(next, 8)), 27) * p1 + p4;
  for (; end - next >= 4; next += 4)
    hash = rotate(hash ^ load(next, 4) * p1, 23) * p2 + p3;
  for (; next != end; ++next)
    hash = rotate(hash ^ load(next, 1) * p5, 11) * p1;
  hash = (hash ^ hash >> 33) * p2;
  hash = (hash ^ hash >> 29) * p3;
  return hash ^ hash >> 32;
}
