//===- WordVectors.h - Tables of word vectors -------------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IO_WORDVECTORS_H
#define SESAME_IO_WORDVECTORS_H

#include "support/MappedFile.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sesame {

/// The vectors of words as word2vec (Mikolov et al. 2013), GloVe (Pennington et al. 2014) and fastText
/// (Bojanowski et al. 2017) write them. The words, and the vectors of a binary file, stay in the mapped file.
class WordVectors {
public:
  /// Tells by the file's content which of these it is:
  /// - word2vec binary: a line `COUNT DIMENSION`, then for each word its text, a space, and floats;
  /// - word2vec or fastText text: the same line, then a line of numbers for each word;
  /// - GloVe: no first line. A word may hold spaces: the last `dimension` fields are its numbers. 0 takes the
  ///   number of fields that most of the first lines have.
  /// Throws Error, which names the line or word, if the file is damaged: another number of words than the
  /// first line says, a line with too few numbers, a number that is none or not finite, an end within a
  /// vector.
  explicit WordVectors(const std::string &path, int64_t dimension = 0);

  int64_t size() const { return int64_t(words.size()); }
  int64_t dimension() const { return width; }
  std::string_view word(int64_t index) const { return words[size_t(index)]; }
  /// The first place of a word. Throws Error if it is not there.
  int64_t find(std::string_view word) const;

  std::vector<float> values(int64_t index) const;
  /// The vector, of length 1. Throws Error if it is zero, and so has no direction.
  std::vector<double> direction(int64_t index) const;
  double cosine(int64_t a, int64_t b) const;

  struct Neighbor {
    int64_t index;
    double cosine;
  };
  /// The `count` words whose vectors have the largest cosine to `query`, best first; of equal ones the first
  /// in the file. Leaves out the words at `excluded`, and those whose vector is zero.
  std::vector<Neighbor> nearest(const std::vector<double> &query, int64_t count,
                                const std::vector<int64_t> &excluded) const;

private:
  /// A float at any address, since words of any length stand between the vectors of a binary file.
  typedef float UnalignedFloat __attribute__((aligned(1), may_alias));

  struct Header {
    int64_t count, dimension;
    uint64_t end; ///< Of the first line, its newline included.
  };

  bool readHeader(Header &header) const;
  void readBinary(const Header &header);
  void readText(uint64_t offset, uint64_t lineNumber);
  void readLine(std::string_view line, uint64_t lineNumber);
  const UnalignedFloat *vector(int64_t index) const {
    return reinterpret_cast<const UnalignedFloat *>(
        rows.empty() ? inFile[size_t(index)] : reinterpret_cast<const char *>(rows.data() + index * width));
  }
  double dot(const UnalignedFloat *a, const double *b) const;
  [[noreturn]] void fail(const std::string &what) const;

  std::string path;
  MappedFile file;
  std::string_view text; ///< The file's bytes.
  int64_t width = 0;
  std::vector<std::string_view> words;
  std::vector<float> rows;          ///< [words, width] of a text file.
  std::vector<const char *> inFile; ///< [words] of a binary one: where each vector starts.
};

} // namespace sesame

#endif // SESAME_IO_WORDVECTORS_H
