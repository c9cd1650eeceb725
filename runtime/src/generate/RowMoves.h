//===- RowMoves.h - Reordering rows in place --------------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_GENERATE_ROWMOVES_H
#define SESAME_GENERATE_ROWMOVES_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sesame {

/// How the rows of a buffer lie in it: `outer` blocks of rows; a row is `runs` pieces, `stride` bytes apart,
/// and of each piece the `length` bytes from `offset` on are to be moved. A KV cache [L, B, G, C, D]: outer
/// L, runs G, stride C * D * 4.
struct RowLayout {
  int64_t outer = 1;
  int64_t runs = 1;
  int64_t stride = 0;
  int64_t offset = 0;
  int64_t length = 0;
};

/// Row i becomes what row parents[i] was, with as few copies as there are rows that change, and one more for
/// each cycle. Rows that nobody needs any more are written first, so that only a cycle needs a place outside;
/// no second buffer.
class RowMoves {
public:
  /// Takes all memory that `plan` will need for up to `mostRows` rows.
  explicit RowMoves(int64_t mostRows);

  /// Works out the order of copies. 0 <= parents[i] < rows <= mostRows.
  void plan(const int32_t *parents, int64_t rows);

  /// Whether nothing has to be done.
  bool empty() const { return moves.empty(); }
  int64_t numCopies() const { return int64_t(moves.size()); }

  /// Carries the plan out on a buffer of `rows` rows. `spare` holds layout.runs * layout.length bytes.
  void apply(void *data, const RowLayout &layout, void *spare) const;

private:
  static constexpr int32_t outside = -1;
  struct Move {
    int32_t target, source; // `outside`: the spare place
  };
  std::vector<Move> moves;
  std::vector<int32_t> numReaders, ready;
  std::vector<char> isDone;
  int64_t numRows = 0;
};

} // namespace sesame

#endif // SESAME_GENERATE_ROWMOVES_H
