//===- SentencePiece.cpp - SentencePiece .model files ---------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SentencePiece.h"
#include "TextTools.h"
#include "support/DType.h"
#include "support/Error.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <unordered_map>

using namespace sesame;
using PieceType = SentencePieceFile::PieceType;

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

namespace {

/// Reads protobuf's wire format, every length checked. Six fields of two messages do not justify a dependency
/// on libprotobuf, whose generated code would be twenty times this.
class ProtoReader {
public:
  ProtoReader(std::string_view bytes, const std::string &where) : bytes(bytes), where(where) {}

  bool atEnd() const { return bytes.empty(); }

  /// Reads a field's number and its content; a fixed or varint content goes to `value`, a delimited one to
  /// `data`.
  struct Field {
    uint32_t number = 0, wireType = 0;
    uint64_t value = 0;
    std::string_view data;
  };
  Field next() {
    Field field;
    uint64_t tag = varint();
    field.wireType = static_cast<uint32_t>(tag & 7);
    if (tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF)
      fail("a field has the number ", tag >> 3);
    field.number = static_cast<uint32_t>(tag >> 3);
    switch (field.wireType) {
    case 0:
      field.value = varint();
      break;
    case 1:
      field.value = fixed(8);
      break;
    case 2: {
      uint64_t length = varint();
      if (length > bytes.size())
        fail("field ", field.number, " is ", length, " bytes long, but ", bytes.size(), " are left");
      field.data = bytes.substr(0, length);
      bytes.remove_prefix(length);
      break;
    }
    case 5:
      field.value = fixed(4);
      break;
    default:
      fail("field ", field.number, " has wire type ", field.wireType);
    }
    return field;
  }

  template <typename... Args> [[noreturn]] void fail(const Args &...args) const {
    throw Error(message(where, ": not a SentencePiece model: ", args...));
  }

  std::string_view delimited(const Field &field) const {
    expect(field, 2);
    return field.data;
  }
  bool boolean(const Field &field) const {
    expect(field, 0);
    return field.value != 0;
  }
  uint64_t number(const Field &field, uint64_t low, uint64_t high) const {
    expect(field, 0);
    if (field.value < low || field.value > high)
      fail("field ", field.number, " is ", field.value, ", expected ", low, " to ", high);
    return field.value;
  }
  float real(const Field &field) const {
    expect(field, 5);
    auto bits = static_cast<uint32_t>(field.value);
    float value;
    std::memcpy(&value, &bits, 4);
    if (!std::isfinite(value))
      fail("a score is not finite");
    return value;
  }
  std::string text(const Field &field) const {
    std::string_view data = delimited(field);
    if (unicode::findInvalidUtf8(data) != std::string_view::npos)
      fail("field ", field.number, " is not UTF-8");
    return std::string(data);
  }

private:
  void expect(const Field &field, uint32_t wireType) const {
    if (field.wireType != wireType)
      fail("field ", field.number, " has wire type ", field.wireType, ", expected ", wireType);
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (bytes.empty())
        fail("it ends inside a number");
      auto byte = static_cast<unsigned char>(bytes[0]);
      bytes.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80)
        return value;
    }
    fail("a number is longer than 64 bits");
  }
  uint64_t fixed(size_t size) {
    if (bytes.size() < size)
      fail("it ends inside a number");
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i)
      value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    bytes.remove_prefix(size);
    return value;
  }

  std::string_view bytes;
  const std::string &where;
};

} // namespace

SentencePieceFile SentencePieceFile::parse(std::string_view bytes, const std::string &where) {
  SentencePieceFile file;
  std::unordered_map<std::string, size_t> seen;
  size_t unknowns = 0;
  ProtoReader model(bytes, where);
  while (!model.atEnd()) {
    ProtoReader::Field field = model.next();
    if (field.number == 1) { // pieces
      Piece piece;
      ProtoReader reader(model.delimited(field), where);
      while (!reader.atEnd()) {
        ProtoReader::Field part = reader.next();
        if (part.number == 1)
          piece.text = reader.text(part);
        else if (part.number == 2)
          piece.score = reader.real(part);
        else if (part.number == 3)
          piece.type = static_cast<PieceType>(reader.number(part, 1, 6));
      }
      if (piece.text.empty())
        model.fail("piece ", file.pieces.size(), " is empty");
      if (!seen.emplace(piece.text, file.pieces.size()).second)
        model.fail("the piece ", inQuotes(piece.text), " occurs twice");
      if (piece.type == PieceType::byte && byteOfToken(piece.text) < 0)
        model.fail("the byte piece ", inQuotes(piece.text), " names no byte");
      unknowns += piece.type == PieceType::unknown;
      file.pieces.push_back(std::move(piece));
    } else if (field.number == 2) { // trainer_spec
      ProtoReader reader(model.delimited(field), where);
      while (!reader.atEnd()) {
        ProtoReader::Field part = reader.next();
        if (part.number == 3)
          file.modelType = static_cast<ModelType>(reader.number(part, 1, 4));
        else if (part.number == 24)
          file.whitespaceIsSuffix = reader.boolean(part);
        else if (part.number == 35)
          file.byteFallback = reader.boolean(part);
        else if (part.number == 44)
          file.unknownSurface = reader.text(part);
      }
    } else if (field.number == 3) { // normalizer_spec
      ProtoReader reader(model.delimited(field), where);
      while (!reader.atEnd()) {
        ProtoReader::Field part = reader.next();
        if (part.number == 2)
          file.charsMap = std::string(reader.delimited(part));
        else if (part.number == 3)
          file.addDummyPrefix = reader.boolean(part);
        else if (part.number == 4)
          file.removeExtraWhitespace = reader.boolean(part);
        else if (part.number == 5)
          file.escapeWhitespace = reader.boolean(part);
      }
    }
  }
  if (unknowns != 1)
    model.fail("expected one unknown piece, found ", unknowns);
  if (file.byteFallback)
    for (unsigned byte = 0; byte < 256; ++byte)
      if (seen.count(byteToken(static_cast<unsigned char>(byte))) == 0)
        model.fail("it falls back to bytes, but lacks the piece ",
                   byteToken(static_cast<unsigned char>(byte)));
  return file;
}

size_t SentencePieceFile::unknownIndex() const {
  for (size_t i = 0; i < pieces.size(); ++i)
    if (pieces[i].type == PieceType::unknown)
      return i;
  return 0;
}

//===----------------------------------------------------------------------===//
// Normalizer
//===----------------------------------------------------------------------===//

namespace {

/// normalizer.cc of SentencePiece: the rule with the longest left side at each place, blanks joined and
/// escaped, one blank added in front (or behind).
class SpNormalizer : public Normalizer {
public:
  SpNormalizer(const SentencePieceFile &file, const std::string &where)
      : addDummy(file.addDummyPrefix), removeExtra(file.removeExtraWhitespace),
        suffix(file.whitespaceIsSuffix), blank(file.escapeWhitespace ? blankSymbol : " ") {
    if (!file.charsMap.empty())
      rules = CharsMap(file.charsMap, where + ": precompiled_charsmap");
    for (const auto &piece : file.pieces)
      if (piece.type == PieceType::userDefined)
        userDefined.insert(piece.text, 0);
  }

  void normalize(NormalizedString &text) const override {
    std::string_view input = text.text();
    auto spanAt = [&](size_t from, size_t to) {
      return ByteSpan{text.alignment(static_cast<uint32_t>(from)).begin,
                      text.alignment(static_cast<uint32_t>(to - 1)).end};
    };
    size_t at = 0;
    while (removeExtra && at < input.size()) {
      auto [replacement, length] = prefix(input.substr(at));
      if (replacement != " ")
        break;
      at += length;
    }
    std::string out;
    std::vector<ByteSpan> spans;
    auto add = [&](std::string_view part, ByteSpan span) {
      out += part;
      spans.insert(spans.end(), part.size(), span);
    };
    if (at == input.size())
      return text.assign("", {});
    if (!suffix && addDummy) {
      ByteSpan first = spanAt(at, at + 1);
      add(blank, {first.begin, first.begin});
    }
    bool afterBlank = removeExtra;
    while (at < input.size()) {
      auto [replacement, length] = prefix(input.substr(at));
      while (afterBlank && !replacement.empty() && replacement[0] == ' ')
        replacement.remove_prefix(1);
      if (!replacement.empty()) {
        ByteSpan span = spanAt(at, at + length);
        for (size_t i = 0; i < replacement.size(); ++i)
          add(replacement[i] == ' ' ? std::string_view(blank) : replacement.substr(i, 1), span);
        afterBlank = replacement.back() == ' ';
      }
      at += length;
      afterBlank &= removeExtra;
    }
    while (removeExtra && out.size() >= blank.size() &&
           out.compare(out.size() - blank.size(), blank.size(), blank) == 0) {
      out.resize(out.size() - blank.size());
      spans.resize(out.size());
    }
    if (suffix && addDummy) {
      uint32_t end = spans.empty() ? spanAt(0, input.size()).end : spans.back().end;
      add(blank, {end, end});
    }
    text.assign(std::move(out), std::move(spans));
  }

private:
  /// What the start of `text` becomes, and how many bytes of it that covers.
  std::pair<std::string_view, size_t> prefix(std::string_view text) const {
    ByteTrie::Match match = userDefined.longestPrefix(text);
    if (match.value != ByteTrie::none)
      return {text.substr(0, match.length), match.length};
    CharsMap::Rule rule = rules.longest(text);
    if (rule.length > 0)
      return {rule.replacement, rule.length};
    uint32_t length = unicode::sequenceLength(static_cast<unsigned char>(text[0]));
    return {text.substr(0, length), length};
  }

  bool addDummy, removeExtra, suffix;
  std::string blank;
  CharsMap rules;
  ByteTrie userDefined;
};

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

class SpModel : public Model {
public:
  SpModel(const SentencePieceFile &file, std::vector<TokenId> idOfPiece, Vocabulary vocabulary,
          TokenId unknownId)
      : ids(std::move(idOfPiece)), type(file.modelType), byteFallback(file.byteFallback),
        unknownId(unknownId), unknownPiece(static_cast<int32_t>(file.unknownIndex())) {
    vocab = std::move(vocabulary);
    lowest = std::numeric_limits<float>::max();
    highest = std::numeric_limits<float>::lowest();
    for (size_t i = 0; i < file.pieces.size(); ++i) {
      const auto &piece = file.pieces[i];
      types.push_back(piece.type);
      blanksSeparate &= nextBlankRun(piece.text, 0) == std::string_view::npos;
      scores.push_back(piece.score);
      if (piece.type == PieceType::normal) {
        lowest = std::min(lowest, piece.score);
        highest = std::max(highest, piece.score);
      }
      if (piece.type == PieceType::normal || piece.type == PieceType::userDefined ||
          piece.type == PieceType::unused)
        trie.insert(piece.text, static_cast<int32_t>(i));
      if (piece.type == PieceType::userDefined)
        userDefined.insert(piece.text, static_cast<int32_t>(i));
      if (piece.type == PieceType::byte)
        byteIds[static_cast<size_t>(byteOfToken(piece.text))] = ids[i];
    }
  }

  void tokenize(std::string_view word, std::vector<Token> &tokens, WordCache *) const override {
    std::vector<Span> path;
    switch (type) {
    case SentencePieceFile::ModelType::unigram:
      findBestPath(word, path);
      break;
    case SentencePieceFile::ModelType::word:
      splitWords(word, path);
      break;
    case SentencePieceFile::ModelType::bpe:
    case SentencePieceFile::ModelType::character:
      // As in BpeModel::tokenize(): where no piece goes from a letter to a blank symbol, the parts are
      // independent.
      for (uint32_t from = 0; from < word.size();) {
        size_t end = blanksSeparate ? nextBlankRun(word, from) : word.size();
        auto to = static_cast<uint32_t>(std::min(end, word.size()));
        size_t before = path.size();
        mergePairs(word.substr(from, to - from), path);
        for (size_t i = before; i < path.size(); ++i) {
          path[i].from += from;
          path[i].to += from;
        }
        from = to;
      }
      break;
    }
    bool afterUnknown = false;
    for (const Span &span : path) {
      TokenId id = span.piece < 0 ? noToken : ids[static_cast<size_t>(span.piece)];
      bool unknown = id == noToken || span.piece == unknownPiece;
      if (!unknown) {
        tokens.push_back({id, span.from, span.to});
      } else if (byteFallback) {
        for (char byte : word.substr(span.from, span.to - span.from))
          tokens.push_back({byteIds[static_cast<unsigned char>(byte)], span.from, span.to});
      } else if (afterUnknown) {
        tokens.back().end = span.to;
      } else {
        tokens.push_back({unknownId, span.from, span.to});
      }
      afterUnknown = unknown;
    }
  }

private:
  /// Bytes [from, to) of the text are the piece with this index; -1: none.
  struct Span {
    uint32_t from, to;
    int32_t piece;
  };

  /// unigram_model.cc: sums in float, as their rounding decides which of equal segmentations wins.
  void findBestPath(std::string_view word, std::vector<Span> &path) const {
    struct Node {
      float score = 0;
      uint32_t from = UINT32_MAX;
      int32_t piece = -1;
    };
    auto size = static_cast<uint32_t>(word.size());
    std::vector<Node> best(size + 1);
    auto offer = [&](uint32_t to, double score, uint32_t from, int32_t piece) {
      if (best[to].from == UINT32_MAX || score > static_cast<double>(best[to].score))
        best[to] = {static_cast<float>(score), from, piece};
    };
    const float unknownScore = lowest - 10.0f; // kUnkPenalty
    for (uint32_t at = 0, length; at < size; at += length) {
      length = unicode::sequenceLength(static_cast<unsigned char>(word[at]));
      bool single = false;
      uint32_t node = 0;
      for (uint32_t i = at; i < size; ++i) {
        node = trie.step(node, static_cast<unsigned char>(word[i]));
        if (node == 0)
          break;
        int32_t piece = trie.value(node);
        if (piece == ByteTrie::none || types[static_cast<size_t>(piece)] == PieceType::unused)
          continue;
        uint32_t bytes = i + 1 - at;
        // A user-defined piece gets a bonus that makes it win always.
        if (types[static_cast<size_t>(piece)] == PieceType::userDefined)
          offer(i + 1, static_cast<double>(static_cast<float>(bytes) * highest) - 0.1 + best[at].score, at,
                piece);
        else
          offer(i + 1, static_cast<double>(scores[static_cast<size_t>(piece)] + best[at].score), at, piece);
        single |= bytes == length;
      }
      if (!single)
        offer(at + length, static_cast<double>(unknownScore + best[at].score), at, unknownPiece);
    }
    for (uint32_t to = size; to > 0; to = best[to].from)
      path.push_back({best[to].from, to, best[to].piece});
    std::reverse(path.begin(), path.end());
  }

  /// bpe_model.cc: the neighbours that join to the piece of highest score merge first, leftmost first among
  /// equals. A character model is the same with no piece of two characters.
  void mergePairs(std::string_view word, std::vector<Span> &path) const {
    struct Symbol {
      uint32_t from, to;
      int32_t previous, next;
      bool frozen;
    };
    struct Candidate {
      float score;
      int32_t left, right;
      uint32_t size;
    };
    auto later = [](const Candidate &a, const Candidate &b) {
      return a.score != b.score ? a.score < b.score : a.left > b.left;
    };
    std::vector<Symbol> symbols;
    for (uint32_t at = 0; at < word.size();) {
      ByteTrie::Match match = userDefined.longestPrefix(word.substr(at));
      bool frozen = match.value != ByteTrie::none;
      uint32_t length = frozen ? match.length : unicode::sequenceLength(static_cast<unsigned char>(word[at]));
      auto index = static_cast<int32_t>(symbols.size());
      symbols.push_back({at, at + length, index - 1, index + 1, frozen});
      at += length;
    }
    if (symbols.empty())
      return;
    symbols.back().next = -1;

    std::vector<Candidate> heap;
    /// How each unused piece came about, so that it can be taken apart again.
    std::unordered_map<std::string_view, uint32_t> leftBytes;
    auto push = [&](int32_t left, int32_t right) {
      if (left < 0 || right < 0 || symbols[left].frozen || symbols[right].frozen)
        return;
      std::string_view joined = word.substr(symbols[left].from, symbols[right].to - symbols[left].from);
      int32_t piece = findPiece(joined);
      if (piece < 0)
        return;
      heap.push_back({scores[static_cast<size_t>(piece)], left, right, static_cast<uint32_t>(joined.size())});
      std::push_heap(heap.begin(), heap.end(), later);
      if (types[static_cast<size_t>(piece)] == PieceType::unused)
        leftBytes[joined] = symbols[left].to - symbols[left].from;
    };
    if (type == SentencePieceFile::ModelType::bpe)
      for (int32_t i = 1; i < static_cast<int32_t>(symbols.size()); ++i)
        push(i - 1, i);
    while (!heap.empty()) {
      std::pop_heap(heap.begin(), heap.end(), later);
      Candidate top = heap.back();
      heap.pop_back();
      Symbol &left = symbols[top.left], &right = symbols[top.right];
      // Stale if either symbol has merged since; a symbol that was merged away is empty.
      if (left.from == left.to || right.from == right.to || right.to - left.from != top.size ||
          left.next != top.right)
        continue;
      left.to = right.to;
      left.next = right.next;
      if (right.next >= 0)
        symbols[right.next].previous = top.left;
      right.from = right.to;
      push(left.previous, top.left);
      push(top.left, left.next);
    }

    // Unused pieces are only stations on the way to longer ones.
    std::vector<Span> open;
    for (int32_t i = 0; i >= 0; i = symbols[i].next) {
      open.push_back({symbols[i].from, symbols[i].to, -1});
      while (!open.empty()) {
        Span span = open.back();
        open.pop_back();
        std::string_view text = word.substr(span.from, span.to - span.from);
        span.piece = findPiece(text);
        auto cut = leftBytes.end();
        if (span.piece >= 0 && types[static_cast<size_t>(span.piece)] == PieceType::unused)
          cut = leftBytes.find(text);
        if (cut == leftBytes.end()) {
          path.push_back(span);
          continue;
        }
        open.push_back({span.from + cut->second, span.to, -1});
        open.push_back({span.from, span.from + cut->second, -1});
      }
    }
  }

  /// word_model.cc: a piece is a blank symbol and all up to the next.
  void splitWords(std::string_view word, std::vector<Span> &path) const {
    for (size_t from = 0; from < word.size();) {
      size_t to = std::min(word.find(blankSymbol, from + 1), word.size());
      path.push_back(
          {static_cast<uint32_t>(from), static_cast<uint32_t>(to), findPiece(word.substr(from, to - from))});
      from = to;
    }
  }

  int32_t findPiece(std::string_view text) const {
    uint32_t node = trie.walk(text);
    return node == 0 ? -1 : trie.value(node);
  }

  std::vector<TokenId> ids;
  std::vector<PieceType> types;
  std::vector<float> scores;
  float lowest, highest;
  ByteTrie trie, userDefined;
  SentencePieceFile::ModelType type;
  bool byteFallback, blanksSeparate = true;
  TokenId unknownId;
  int32_t unknownPiece;
  std::array<TokenId, 256> byteIds{};
};

//===----------------------------------------------------------------------===//
// Decoder
//===----------------------------------------------------------------------===//

/// SentencePieceProcessor::Decode: control pieces are invisible, byte pieces become characters, the blank in
/// front goes.
class SpDecoder : public Decoder {
public:
  explicit SpDecoder(const SentencePieceFile &file)
      : unknownSurface(file.unknownSurface), stripsFirst(file.addDummyPrefix || file.removeExtraWhitespace),
        stripsAll(file.removeExtraWhitespace) {
    for (const auto &piece : file.pieces)
      if (piece.type != PieceType::normal && piece.type != PieceType::userDefined)
        types.emplace(piece.text, piece.type);
  }

  void decode(std::vector<std::string> &tokens) const override {
    std::string text, bytes;
    bool expectsBlank = true, blankSeen = false;
    auto flush = [&] {
      // One U+FFFD for every byte that is not part of a character.
      for (std::string_view rest = bytes; !rest.empty();) {
        size_t valid = std::min(unicode::findInvalidUtf8(rest), rest.size());
        text += rest.substr(0, valid);
        rest.remove_prefix(valid);
        if (!rest.empty()) {
          text += "\xEF\xBF\xBD";
          rest.remove_prefix(1);
        }
      }
      bytes.clear();
    };
    for (const std::string &token : tokens) {
      auto found = types.find(token);
      PieceType type = found == types.end() ? PieceType::normal : found->second;
      if (type == PieceType::byte) {
        bytes += static_cast<char>(byteOfToken(token));
        continue;
      }
      flush();
      if (blankSeen || !text.empty())
        expectsBlank = false;
      blankSeen = false;
      if (type == PieceType::control)
        continue;
      if (type == PieceType::unknown) {
        text += unknownSurface;
        continue;
      }
      std::string piece = token;
      if (expectsBlank && stripsFirst && piece.compare(0, 3, blankSymbol) == 0) {
        piece.erase(0, 3);
        blankSeen = !stripsAll;
      }
      replaceAll(piece, blankSymbol, " ");
      text += piece;
    }
    flush();
    tokens.assign(1, std::move(text));
  }

private:
  std::unordered_map<std::string, PieceType> types;
  std::string unknownSurface;
  bool stripsFirst, stripsAll;
};

} // namespace

SentencePieceParts sesame::makeSentencePiece(const SentencePieceFile &file, const std::vector<TokenId> &ids,
                                             Vocabulary vocabulary, TokenId unknownId,
                                             const std::string &where) {
  return {std::make_unique<SpNormalizer>(file, where),
          std::make_unique<SpModel>(file, ids, std::move(vocabulary), unknownId),
          std::make_unique<SpDecoder>(file)};
}
