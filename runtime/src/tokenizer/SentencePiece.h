//===- SentencePiece.h - SentencePiece .model files ----------- -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_TOKENIZER_SENTENCEPIECE_H
#define SESAME_TOKENIZER_SENTENCEPIECE_H

#include "ByteTrie.h"
#include "CharsMap.h"
#include "Parts.h"

namespace sesame {

/// The fields of a SentencePiece model that tokenizing needs (sentencepiece_model.proto).
struct SentencePieceFile {
  enum class PieceType { normal = 1, unknown = 2, control = 3, userDefined = 4, unused = 5, byte = 6 };
  enum class ModelType { unigram = 1, bpe = 2, word = 3, character = 4 };
  struct Piece {
    std::string text;
    float score = 0;
    PieceType type = PieceType::normal;
  };

  std::vector<Piece> pieces;
  ModelType modelType = ModelType::unigram;
  bool byteFallback = false;
  bool whitespaceIsSuffix = false;
  std::string unknownSurface = " \xE2\x81\x87 ";
  std::string charsMap;
  bool addDummyPrefix = true;
  bool removeExtraWhitespace = true;
  bool escapeWhitespace = true;

  /// Reads the protobuf in `bytes`; `where` names the file. Throws an Error if a length or value is out of
  /// range, if two pieces are equal, or if there is not exactly one unknown piece.
  static SentencePieceFile parse(std::string_view bytes, const std::string &where);

  /// The index of the unknown piece.
  size_t unknownIndex() const;
};

/// The three parts of a tokenizer that does what the SentencePiece library does: `ids[i]` is the id of piece
/// i, or noToken for a piece that the tokenizer leaves out.
struct SentencePieceParts {
  std::unique_ptr<Normalizer> normalizer;
  std::unique_ptr<Model> model;
  std::unique_ptr<Decoder> decoder;
};
SentencePieceParts makeSentencePiece(const SentencePieceFile &file, const std::vector<TokenId> &ids,
                                     Vocabulary vocabulary, TokenId unknownId, const std::string &where);

} // namespace sesame

#endif // SESAME_TOKENIZER_SENTENCEPIECE_H
