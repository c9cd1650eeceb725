//===- abi.h - What compiled code and the runtime know of each other ------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// C99. A model's shared library is self-contained: it calls back only through
// the SesameContext it is given. Change SESAME_ABI_VERSION with any change here.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_ABI_H
#define SESAME_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Version of this interface; model.so exports `const int64_t sesame_abi_version`.
#define SESAME_ABI_VERSION 1

/// One parallel region's body: runs the iterations [begin, end).
typedef void (*SesameBody)(void *data, int64_t begin, int64_t end);

typedef struct SesameContext SesameContext;
struct SesameContext {
  /// Runs `body` over [0, count), split into contiguous chunks over the team, and returns when all are done.
  void (*parallel_for)(const SesameContext *context, SesameBody body, void *data, int64_t count);
  /// Called around each profiled region when not null: `op` indexes the manifest's op table; begin = 1, end = 0.
  void (*profile)(const SesameContext *context, int64_t op, int64_t begin);
  /// The runtime's own state.
  void *team;
};

/// `sesame_entry_NAME_workspace`: bytes of arena that the entry needs for these symbol values.
typedef int64_t (*SesameWorkspaceFunction)(const int64_t *dims);
/// `sesame_entry_NAME`: buffers = weights, arena, inputs and states in argument order, outputs.
typedef void (*SesameEntryFunction)(const SesameContext *context, void *const *buffers, const int64_t *dims);

#ifdef __cplusplus
}
#endif

#endif // SESAME_ABI_H
