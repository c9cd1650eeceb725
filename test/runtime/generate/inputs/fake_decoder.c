//===- fake_decoder.c - A decoder whose cache can be checked --------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a compiled model exports, by hand. The "keys" of a token are its id and
// its position, the "values" a negative copy, so logits that are a function of
// the whole cache show every row or position that lies in the wrong place. A
// second state without a position axis counts the tokens of a row.
//
//   decode(input_ids [B, S], attention_mask [B, T], position_ids [B, S],
//          key_cache, value_cache [2, B, 3, C, 2], count [B, 1]) -> logits [B, V]
//   forward(input_ids [B, S], attention_mask [B, S]) -> logits [B, S, V]
//   translate(decoder_input_ids [B, S], encoder_hidden_states [B, E, 2])
//          -> logits [B, S, V]; the source counts as E tokens before the first
//
//===----------------------------------------------------------------------===//

#include "sesame/abi.h"

#include <math.h>
#include <stdint.h>

enum { layers = 2, heads = 3, headSize = 2, vocabulary = 23 };

const int64_t sesame_abi_version = SESAME_ABI_VERSION;

/// Folds a token into the hash of those before it; the test computes the same.
static uint64_t fold(uint64_t hash, int64_t token) { return (hash ^ (uint64_t)(token + 1)) * 0x100000001B3ull; }

static void logitsOf(uint64_t hash, float *logits) {
  for (int64_t v = 0; v < vocabulary; ++v) {
    uint64_t mixed = (hash + (uint64_t)v * 0x9E3779B97F4A7C15ull);
    mixed = (mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9ull;
    logits[v] = (float)((double)(mixed >> 40) / 16777216.0 * 6 - 3);
  }
}

// Symbols: B, S, T, C.
int64_t sesame_entry_decode_workspace(const int64_t *dims) { return 8 * dims[2]; }

void sesame_entry_decode(const SesameContext *context, void *const *buffers, const int64_t *dims) {
  (void)context;
  int64_t B = dims[0], S = dims[1], T = dims[2], C = dims[3], past = T - S;
  const int64_t *ids = buffers[2], *mask = buffers[3], *positions = buffers[4];
  float *keys = buffers[5], *values = buffers[6], *count = buffers[7], *logits = buffers[8];
  int64_t *scratch = buffers[1]; // [T]
  for (int64_t b = 0; b < B; ++b) {
    for (int64_t l = 0; l < layers; ++l)
      for (int64_t g = 0; g < heads; ++g)
        for (int64_t s = 0; s < S; ++s) {
          int64_t at = (((l * B + b) * heads + g) * C + past + s) * headSize;
          keys[at] = (float)ids[b * S + s];
          keys[at + 1] = (float)positions[b * S + s];
          values[at] = -keys[at] - (float)(l * heads + g);
          values[at + 1] = -keys[at + 1];
        }
    count[b] += (float)S;
    // Reads the history back; NaN says that layers, heads, keys and values no longer belong together.
    uint64_t hash = 1;
    int64_t numReal = 0;
    int consistent = (int64_t)count[b] == T;
    for (int64_t t = 0; t < T; ++t) {
      float token = keys[((b * heads) * C + t) * headSize];
      scratch[t] = (int64_t)token;
      for (int64_t l = 0; l < layers; ++l)
        for (int64_t g = 0; g < heads; ++g) {
          int64_t at = (((l * B + b) * heads + g) * C + t) * headSize;
          consistent &= keys[at] == token && values[at] == -token - (float)(l * heads + g);
          if (mask[b * T + t])
            consistent &= keys[at + 1] == (float)numReal && values[at + 1] == -(float)numReal;
        }
      if (mask[b * T + t]) {
        hash = fold(hash, scratch[t]);
        ++numReal;
      }
    }
    logitsOf(hash, logits + b * vocabulary);
    if (!consistent)
      for (int64_t v = 0; v < vocabulary; ++v)
        logits[b * vocabulary + v] = NAN;
  }
}

// Symbols: B, S.
int64_t sesame_entry_forward_workspace(const int64_t *dims) {
  (void)dims;
  return 0;
}

void sesame_entry_forward(const SesameContext *context, void *const *buffers, const int64_t *dims) {
  (void)context;
  int64_t B = dims[0], S = dims[1];
  const int64_t *ids = buffers[2], *mask = buffers[3];
  float *logits = buffers[4];
  for (int64_t b = 0; b < B; ++b) {
    uint64_t hash = 1;
    for (int64_t s = 0; s < S; ++s) {
      if (mask[b * S + s])
        hash = fold(hash, ids[b * S + s]);
      logitsOf(hash, logits + (b * S + s) * vocabulary);
    }
  }
}

// Symbols: B, S, E.
int64_t sesame_entry_translate_workspace(const int64_t *dims) {
  (void)dims;
  return 0;
}

void sesame_entry_translate(const SesameContext *context, void *const *buffers, const int64_t *dims) {
  (void)context;
  int64_t B = dims[0], S = dims[1], E = dims[2];
  const int64_t *ids = buffers[2];
  const float *source = buffers[3];
  float *logits = buffers[4];
  for (int64_t b = 0; b < B; ++b) {
    uint64_t hash = 1;
    for (int64_t e = 0; e < E; ++e)
      hash = fold(hash, (int64_t)(source[(b * E + e) * 2] + 100 * source[(b * E + e) * 2 + 1]));
    for (int64_t s = 0; s < S; ++s) {
      hash = fold(hash, ids[b * S + s]);
      logitsOf(hash, logits + (b * S + s) * vocabulary);
    }
  }
}
