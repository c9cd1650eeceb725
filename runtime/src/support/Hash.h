//===- Hash.h - XXH64 -------------------------------------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_SUPPORT_HASH_H
#define SESAME_SUPPORT_HASH_H

#include <cstdint>
#include <string_view>

namespace sesame {

/// XXH64 with seed 0 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md). Tells files apart; no defence against
/// forgery.
uint64_t xxh64(std::string_view bytes);

} // namespace sesame

#endif // SESAME_SUPPORT_HASH_H
