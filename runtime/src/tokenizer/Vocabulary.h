//===- Vocabulary.h - Tokens and their ids -------------------- -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_VOCABULARY_H
#define SESAME_TOKENIZER_VOCABULARY_H

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sesame {

/// The number of a token, never negative; `noToken` where there is none.
using TokenId = int32_t;
inline constexpr TokenId noToken = -1;

/// A two-way map between tokens and ids. Ids need not be dense: those of a hostile file do not decide how
/// much memory is taken.
class Vocabulary {
public:
  /// Adds the pair; false if the token is there already. Where two tokens share an id, the first names it.
  bool add(std::string_view token, TokenId id) {
    if (ids.count(token) != 0)
      return false;
    strings.emplace_back(token);
    ids.emplace(strings.back(), id);
    if (id < denseLimit) {
      if (static_cast<size_t>(id) >= dense.size())
        dense.resize(static_cast<size_t>(id) + 1, nullptr);
      if (!dense[id])
        dense[id] = &strings.back();
    } else {
      sparse.emplace(id, &strings.back());
    }
    return true;
  }

  TokenId find(std::string_view token) const {
    auto found = ids.find(token);
    return found == ids.end() ? noToken : found->second;
  }

  /// The token of `id`, or null.
  const std::string *token(TokenId id) const {
    if (id < 0)
      return nullptr;
    if (id < denseLimit)
      return static_cast<size_t>(id) < dense.size() ? dense[id] : nullptr;
    auto found = sparse.find(id);
    return found == sparse.end() ? nullptr : found->second;
  }

  size_t size() const { return ids.size(); }
  const std::unordered_map<std::string_view, TokenId> &entries() const { return ids; }

private:
  static constexpr TokenId denseLimit = 1
                                        << 21; // Eight times the largest vocabulary in use (256 Ki entries).
  std::deque<std::string> strings;             // Never moves its elements.
  std::unordered_map<std::string_view, TokenId> ids;
  std::vector<const std::string *> dense;
  std::unordered_map<TokenId, const std::string *> sparse;
};

} // namespace sesame

#endif // SESAME_TOKENIZER_VOCABULARY_H
