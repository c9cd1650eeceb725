//===- WordVectors.cpp - Tables of word vectors ---------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "io/WordVectors.h"

#include "support/Error.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <map>

namespace sesame {

namespace {

constexpr std::string_view blanks = " \t\r";

/// Without blanks at its end.
std::string_view trimEnd(std::string_view line) {
  size_t last = line.find_last_not_of(blanks);
  return last == line.npos ? std::string_view() : line.substr(0, last + 1);
}

/// The line that starts at `offset`, without its newline.
std::string_view lineAt(std::string_view text, uint64_t offset) {
  const char *begin = text.data() + offset;
  const void *end = std::memchr(begin, '\n', text.size() - offset);
  return {begin, end ? size_t(static_cast<const char *>(end) - begin) : size_t(text.size() - offset)};
}

/// What a message shows of a word or a number of a file that may hold anything.
std::string quoted(std::string_view text) {
  constexpr size_t longest = 40;
  std::string result = "'";
  for (char each : text.substr(0, longest))
    result += static_cast<unsigned char>(each) < 0x20 ? '?' : each;
  return result + (text.size() > longest ? "...'" : "'");
}

int64_t countFields(std::string_view line) {
  return line.empty()
             ? 0
             : 1 + std::count_if(line.begin(), line.end(), [](char c) { return c == ' ' || c == '\t'; });
}

} // namespace

void WordVectors::fail(const std::string &what) const { throw Error(message(path, ": ", what)); }

WordVectors::WordVectors(const std::string &path, int64_t dimension)
    : path(path), file(path), text(reinterpret_cast<const char *>(file.data()), file.size()),
      width(dimension) {
  if (text.empty())
    fail("expected word vectors, found an empty file");
  if (text.substr(0, 2) == "\x1f\x8b")
    fail("expected word vectors, found a gzip file; unpack it first");
  if (text.substr(0, 4) == std::string_view("\xba\x16\x4f\x2f", 4))
    fail("expected word vectors, found a fastText model; its .vec file has the vectors");
  Header header;
  if (!readHeader(header)) {
    if (width == 0) {
      // A word with spaces in it, or a damaged line, is the exception among the first ones.
      std::map<int64_t, int> lines; // by their number of fields
      uint64_t offset = 0;
      for (int i = 0; i < 100 && offset < text.size(); ++i) {
        std::string_view line = lineAt(text, offset);
        offset += line.size() + 1;
        ++lines[countFields(trimEnd(line))];
      }
      auto most =
          std::max_element(lines.begin(), lines.end(), [](auto &a, auto &b) { return a.second < b.second; });
      width = most->first - 1;
      if (width < 1)
        fail("line 1: expected a word and its numbers, or a line 'COUNT DIMENSION'");
    }
    readText(0, 1);
    return;
  }
  if (width != 0 && width != header.dimension)
    fail(message("expected vectors of ", width, " numbers, found ", header.dimension));
  width = header.dimension;
  // Even the shortest text number takes two bytes.
  int64_t bytes;
  if (__builtin_mul_overflow(header.count, header.dimension, &bytes) ||
      __builtin_mul_overflow(bytes, int64_t(2), &bytes) || uint64_t(bytes) > text.size() - header.end)
    fail(message("the first line says ", header.count, " words of ", header.dimension, " numbers, which ",
                 text.size(), " bytes cannot hold"));
  // Bytes of floats are hardly ever all printable.
  std::string_view first = lineAt(text, header.end);
  bool isText = std::none_of(first.begin(), first.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r';
  });
  if (!isText) {
    readBinary(header);
    return;
  }
  rows.reserve(size_t(header.count * header.dimension));
  readText(header.end, 2);
  if (size() != header.count)
    fail(message("the first line says ", header.count, " words, found ", size()));
}

/// Whether the first line is two positive numbers and no more.
bool WordVectors::readHeader(Header &header) const {
  std::string_view line = lineAt(text, 0);
  header.end = std::min<uint64_t>(line.size() + 1, text.size());
  line = trimEnd(line);
  const char *end = line.data() + line.size();
  auto [separator, error] = std::from_chars(line.data(), end, header.count);
  if (separator == end || (*separator != ' ' && *separator != '\t'))
    return false;
  auto [last, secondError] = std::from_chars(separator + 1, end, header.dimension);
  if (last != end)
    return false;
  if (error == std::errc::invalid_argument || secondError == std::errc::invalid_argument)
    return false;
  if (error != std::errc() || secondError != std::errc() || header.count < 1 || header.dimension < 1)
    fail(message("line 1: expected two positive numbers, found ", quoted(line)));
  return true;
}

void WordVectors::readBinary(const Header &header) {
  const uint64_t bytes = uint64_t(header.dimension) * sizeof(float);
  uint64_t offset = header.end;
  words.reserve(size_t(header.count));
  inFile.reserve(size_t(header.count));
  for (int64_t i = 0; i < header.count; ++i) {
    if (offset < text.size() &&
        text[offset] == '\n') // written by word2vec after each vector, left out by others
      ++offset;
    const size_t space = text.find(' ', offset);
    if (space == text.npos || text.size() - space - 1 < bytes)
      fail(message("word ", i + 1, " of ", header.count, ": expected a word and ", header.dimension,
                   " floats, found the end of the file"));
    std::string_view word = text.substr(offset, space - offset);
    if (word.empty())
      fail(message("word ", i + 1, " of ", header.count, ": expected a word, found a space"));
    words.push_back(word);
    inFile.push_back(text.data() + space + 1);
    const UnalignedFloat *values = vector(i);
    for (int64_t column = 0; column < width; ++column)
      if (!std::isfinite(values[column]))
        fail(message("word ", i + 1, " ", quoted(word), ": number ", column + 1,
                     ": expected a finite number, got ", float(values[column])));
    offset = space + 1 + bytes;
  }
  if (offset < text.size() && text[offset] == '\n')
    ++offset;
  if (offset != text.size())
    fail(message("the first line says ", header.count, " words, and ", text.size() - offset,
                 " bytes follow the last one"));
}

void WordVectors::readText(uint64_t offset, uint64_t lineNumber) {
  for (; offset < text.size(); ++lineNumber) {
    std::string_view line = lineAt(text, offset);
    offset += line.size() + 1;
    readLine(trimEnd(line), lineNumber);
  }
}

void WordVectors::readLine(std::string_view line, uint64_t lineNumber) {
  // The numbers are the last fields, whatever the word holds.
  size_t at = line.size();
  for (int64_t column = 0; column < width; ++column) {
    at = at == 0 ? line.npos : line.find_last_of(" \t", at - 1);
    if (at == line.npos || at == 0)
      fail(message("line ", lineNumber, ": expected a word and ", width, " numbers, found ",
                   countFields(line), countFields(line) == 1 ? " field" : " fields"));
  }
  words.push_back(line.substr(0, at));
  const char *end = line.data() + line.size(), *next = line.data() + at;
  for (int64_t column = 0; column < width; ++column) {
    const char *begin = ++next;
    if (begin != end && *begin == '+')
      ++begin;
    float value = 0;
    auto [last, error] = std::from_chars(begin, end, value);
    const bool isWhole = last == end || *last == ' ' || *last == '\t';
    // Below the smallest float a number is as good as zero.
    if (error == std::errc::result_out_of_range && isWhole) {
      value = std::strtof(std::string(begin, last).c_str(), nullptr);
    } else if (error != std::errc() || !isWhole) {
      std::string_view field = line.substr(size_t(next - line.data()));
      fail(message("line ", lineNumber, ": expected a number, got ",
                   quoted(field.substr(0, field.find_first_of(" \t")))));
    }
    if (!std::isfinite(value))
      fail(message("line ", lineNumber, ": expected a finite number, got ",
                   quoted({begin, size_t(last - begin)})));
    rows.push_back(value);
    next = last;
  }
}

int64_t WordVectors::find(std::string_view word) const {
  auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end())
    fail(message("has no word ", quoted(word)));
  return found - words.begin();
}

double WordVectors::dot(const UnalignedFloat *a, const double *b) const {
  // Lanes of their own, so that the loop vectorises and the order of the sums is fixed.
  constexpr int64_t lanes = 16;
  double sums[lanes] = {};
  int64_t i = 0;
  for (; i + lanes <= width; i += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane)
      sums[lane] += double(a[i + lane]) * b[i + lane];
  for (int64_t lane = 0; i < width; ++i, ++lane)
    sums[lane] += double(a[i]) * b[i];
  double sum = 0;
  for (double each : sums)
    sum += each;
  return sum;
}

std::vector<float> WordVectors::values(int64_t index) const {
  std::vector<float> result(static_cast<size_t>(width));
  std::memcpy(result.data(), vector(index), result.size() * sizeof(float));
  return result;
}

std::vector<double> WordVectors::direction(int64_t index) const {
  const UnalignedFloat *values = vector(index);
  std::vector<double> result;
  for (int64_t i = 0; i < width; ++i)
    result.push_back(values[i]);
  const double length = std::sqrt(dot(values, result.data()));
  if (length == 0)
    fail(message("the vector of ", quoted(word(index)), " is zero and has no direction"));
  for (double &value : result)
    value /= length;
  return result;
}

double WordVectors::cosine(int64_t a, int64_t b) const {
  const std::vector<double> left = direction(a), right = direction(b);
  double sum = 0;
  for (int64_t i = 0; i < width; ++i)
    sum += left[size_t(i)] * right[size_t(i)];
  return sum;
}

std::vector<WordVectors::Neighbor> WordVectors::nearest(const std::vector<double> &query, int64_t count,
                                                        const std::vector<int64_t> &excluded) const {
  double length = 0;
  for (double value : query)
    length += value * value;
  length = std::sqrt(length);
  if (length == 0)
    fail("the vectors cancel out, and what is left has no direction");
  // A heap with the worst one on top.
  auto isBetter = [](const Neighbor &a, const Neighbor &b) {
    return a.cosine != b.cosine ? a.cosine > b.cosine : a.index < b.index;
  };
  std::vector<Neighbor> best;
  std::vector<double> wide(static_cast<size_t>(width));
  for (int64_t i = 0; i < size(); ++i) {
    if (std::find(excluded.begin(), excluded.end(), i) != excluded.end())
      continue;
    const UnalignedFloat *values = vector(i);
    for (int64_t column = 0; column < width; ++column)
      wide[size_t(column)] = values[column];
    const double square = dot(values, wide.data());
    if (square == 0)
      continue;
    const Neighbor here{i, dot(values, query.data()) / (std::sqrt(square) * length)};
    if (int64_t(best.size()) == count) {
      if (!isBetter(here, best.front()))
        continue;
      std::pop_heap(best.begin(), best.end(), isBetter);
      best.back() = here;
    } else {
      best.push_back(here);
    }
    std::push_heap(best.begin(), best.end(), isBetter);
  }
  std::sort_heap(best.begin(), best.end(), isBetter);
  return best;
}

} // namespace sesame
