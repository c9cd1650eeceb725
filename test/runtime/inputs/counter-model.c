//===- counter-model.c - A model written by hand --------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What `sesame compile` makes, by hand: the interface of abi.h with entries small
// enough to be computed again in a test. TestBundle.cpp has the manifest.
//
// Weights: table f32[97, 7] at byte 0, projection f32[7, 5] at byte 2752.
//
// forward(input_ids [B, S], attention_mask [B, S], position_ids [B, S])
//   -> logits[b, s, :] = attention_mask[b, s] * (table[id] + position) * projection
// decode(input_ids [B, S], attention_mask [B, T]; cache [3, B, 2, C, 4] state)
//   writes id + layer at positions T - S ... T - 1 of every layer and group
//   -> logits [B, 3] = per layer, over the masked positions < T and all groups, of the cache's element 0
//
//===----------------------------------------------------------------------===//

#include "sesame/abi.h"

const int64_t sesame_abi_version = SESAME_ABI_VERSION;

enum { width = 7, classes = 5, layers = 3, groups = 2, head = 4, projectionOffset = 2752 };

typedef struct Forward {
  const float *table, *projection;
  float *embedded; // [B, S, 7]
  const int64_t *ids, *mask, *positions;
  float *logits;
} Forward;

static void embed(void *data, int64_t begin, int64_t end) {
  Forward *f = data;
  for (int64_t i = begin; i < end; ++i)
    for (int k = 0; k < width; ++k)
      f->embedded[i * width + k] = f->table[f->ids[i] * width + k] + (float)f->positions[i];
}

static void project(void *data, int64_t begin, int64_t end) {
  Forward *f = data;
  for (int64_t i = begin; i < end; ++i)
    for (int c = 0; c < classes; ++c) {
      float sum = 0;
      for (int k = 0; k < width; ++k)
        sum += f->embedded[i * width + k] * f->projection[k * classes + c];
      f->logits[i * classes + c] = (float)f->mask[i] * sum;
    }
}

static void profile(const SesameContext *context, int64_t op, int64_t begin) {
  if (context->profile)
    context->profile(context, op, begin);
}

// dims: B, S
int64_t sesame_entry_forward_workspace(const int64_t *dims) { return dims[0] * dims[1] * width * 4; }

void sesame_entry_forward(const SesameContext *context, void *const *buffers, const int64_t *dims) {
  Forward f = {buffers[0], (const float *)((const char *)buffers[0] + projectionOffset),
               buffers[1], buffers[2], buffers[3], buffers[4], buffers[5]};
  profile(context, 0, 1);
  context->parallel_for(context, embed, &f, dims[0] * dims[1]);
  profile(context, 0, 0);
  profile(context, 1, 1);
  context->parallel_for(context, project, &f, dims[0] * dims[1]);
  profile(context, 1, 0);
}

typedef struct Decode {
  const int64_t *ids, *mask;
  float *cache, *logits;
  int64_t B, S, T, C;
} Decode;

static void decodeLayer(void *data, int64_t begin, int64_t end) {
  Decode *d = data;
  for (int64_t i = begin; i < end; ++i) { // layer * B + row
    int64_t layer = i / d->B, row = i % d->B;
    float sum = 0;
    for (int64_t g = 0; g < groups; ++g) {
      float *cache = d->cache + (i * groups + g) * d->C * head;
      for (int64_t s = 0; s < d->S; ++s)
        for (int k = 0; k < head; ++k)
          cache[(d->T - d->S + s) * head + k] = (float)(d->ids[row * d->S + s] + layer);
      for (int64_t t = 0; t < d->T; ++t)
        sum += (float)d->mask[row * d->T + t] * cache[t * head];
    }
    d->logits[row * layers + layer] = sum;
  }
}

// dims: B, S, T, C
int64_t sesame_entry_decode_workspace(const int64_t *dims) {
  (void)dims;
  return 0;
}

void sesame_entry_decode(const SesameContext *context, void *const *buffers, const int64_t *dims) {
  Decode d = {buffers[2], buffers[3], buffers[4], buffers[5], dims[0], dims[1], dims[2], dims[3]};
  context->parallel_for(context, decodeLayer, &d, layers * d.B);
}
