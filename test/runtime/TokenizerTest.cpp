//===- TokenizerTest.cpp - Tokenizers against the reference's results -----===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Usage: sesame-tokenizer-test FIXTURES [gtest options]. FIXTURES holds one folder per tokenizer with
// golden.jsonl (from the `tokenizers` library) and golden_spm.jsonl (from SentencePiece).

#include "tokenizer/Tokenizer.h"
#include "support/Error.h"
#include "support/MappedFile.h"
#include "tokenizer/Unicode.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

using namespace sesame;
using nlohmann::json;
namespace fs = std::filesystem;

static std::string fixtures;

namespace {

/// Gathers differences, so that one run tells all of them, and a test can ask whether there are any.
struct Report {
  std::string what;
  std::vector<std::string> differences;

  template <typename Got> void compare(const char *field, const Got &got, const json &expected) {
    json value = got;
    if (value != expected)
      differences.push_back(what + ": " + field + ": got " + value.dump() + ", expected " + expected.dump());
  }
};

std::vector<json> readLines(const std::string &path) {
  std::ifstream stream(path);
  std::vector<json> lines;
  for (std::string line; std::getline(stream, line);)
    lines.push_back(json::parse(line));
  if (lines.empty())
    throw Error(message(path, ": no lines"));
  return lines;
}

/// Compares everything that a line of golden.jsonl says. Unknown fields fail, so that none is passed over.
void compareGolden(const Tokenizer &tokenizer, const json &line, Report &report) {
  std::string text = line.at("text");
  report.what = json(text).dump();
  bool isPair = line.contains("pair");
  Encoding with = isPair ? tokenizer.encode(text, line["pair"].get<std::string>()) : tokenizer.encode(text);
  Encoding without = tokenizer.encode(text, /*addSpecialTokens=*/false);
  if (!isPair) {
    report.compare("ids alone", tokenizer.encodeIds(text, false), line["ids"]);
    report.compare("ids_sp alone", tokenizer.encodeIds(text), line["ids_sp"]);
  }
  for (const auto &[field, expected] : line.items()) {
    if (field == "text" || field == "pair")
      continue;
    if (field == "ids")
      report.compare("ids", without.ids, expected);
    else if (field == "tokens")
      report.compare("tokens", without.tokens, expected);
    else if (field == "offsets")
      report.compare("offsets", without.offsets, expected);
    else if (field == "ids_sp")
      report.compare("ids_sp", with.ids, expected);
    else if (field == "type_ids_sp")
      report.compare("type_ids_sp", with.typeIds, expected);
    else if (field == "mask_sp")
      report.compare("mask_sp", with.specialMask, expected);
    else if (field == "offsets_sp")
      report.compare("offsets_sp", with.offsets, expected);
    else if (field == "decode")
      report.compare("decode", tokenizer.decode(without.ids, /*skipSpecial=*/false), expected);
    else if (field == "decode_skip")
      report.compare("decode_skip", tokenizer.decode(with.ids, true), expected);
    else if (field == "decode_keep")
      report.compare("decode_keep", tokenizer.decode(with.ids, false), expected);
    else
      report.differences.push_back(report.what + ": field '" + field + "' is not compared");
  }
}

void compareSentencePiece(const Tokenizer &tokenizer, const json &line, Report &report) {
  std::string text = line.at("text");
  report.what = json(text).dump();
  Encoding encoding = tokenizer.encode(text, false);
  report.compare("ids", encoding.ids, line.at("ids"));
  report.compare("pieces", encoding.tokens, line.at("pieces"));
  report.compare("decode", tokenizer.decode(encoding.ids, false), line.at("decode"));
}

void expectNone(const Report &report, size_t lines) {
  EXPECT_GT(lines, 0u);
  for (size_t i = 0; i < report.differences.size() && i < 20; ++i)
    ADD_FAILURE() << report.differences[i];
  EXPECT_EQ(report.differences.size(), 0u);
}

/// A directory of its own that goes away with the test.
class TemporaryDirectory {
public:
  TemporaryDirectory() {
    std::string pattern = (fs::temp_directory_path() / "sesame-tokenizer-XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { fs::remove_all(path); }
  fs::path path;
};

/// Loads a fixture from its older files alone.
Tokenizer loadWithout(const std::string &name, const std::string &removed) {
  TemporaryDirectory directory;
  for (const auto &entry : fs::directory_iterator(fixtures + "/" + name))
    if (entry.path().filename() != removed)
      fs::copy(entry.path(), directory.path / entry.path().filename());
  return Tokenizer::fromDirectory(directory.path.string());
}

std::vector<std::string> all = {"gpt2-bpe",       "roberta-bpe", "bert-wordpiece", "bert-wordpiece-cased",
                                "openai-gpt-bpe", "t5-unigram",  "xlnet-unigram",  "llama-spm-bpe",
                                "unigram-plain"};

std::string testName(const testing::TestParamInfo<std::string> &info) {
  std::string name = info.param;
  for (char &c : name)
    c = c == '-' ? '_' : c;
  return name;
}

json fixtureDocument(const std::string &name) {
  return json::parse(readTextFile(fixtures + "/" + name + "/tokenizer.json"));
}

Tokenizer fromDocument(const json &document) { return Tokenizer::fromJson(document.dump(), "t.json"); }

std::string errorOf(const std::function<void()> &action) {
  try {
    action();
  } catch (const Error &error) {
    return error.what();
  }
  return "no error";
}

} // namespace

//===----------------------------------------------------------------------===//
// Goldens
//===----------------------------------------------------------------------===//

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, TokenizerJsonGivesEveryField) {
  Tokenizer tokenizer = Tokenizer::fromDirectory(fixtures + "/" + GetParam());
  std::vector<json> lines = readLines(fixtures + "/" + GetParam() + "/golden.jsonl");
  Report report;
  for (const json &line : lines)
    compareGolden(tokenizer, line, report);
  expectNone(report, lines.size());
}

TEST_P(Golden, AlteredLinesAreReported) {
  Tokenizer tokenizer = Tokenizer::fromDirectory(fixtures + "/" + GetParam());
  size_t altered = 0;
  for (const json &line : readLines(fixtures + "/" + GetParam() + "/golden.jsonl")) {
    for (const auto &[field, value] : line.items()) {
      if (field == "text" || field == "pair" || value.empty())
        continue;
      json other = line;
      json &last = value.is_array() ? other[field].back() : other[field];
      if (last.is_array())
        last[1] = last[1].get<int>() + 1;
      else if (last.is_string())
        last = last.get<std::string>() + "x";
      else
        last = last.get<int>() + 1;
      Report report;
      compareGolden(tokenizer, other, report);
      EXPECT_FALSE(report.differences.empty()) << field << " of " << line.dump();
      ++altered;
    }
    if (altered > 200)
      break;
  }
  EXPECT_GT(altered, 100u);
}

TEST_P(Golden, PiecewiseDecodingGivesTheSameText) {
  Tokenizer tokenizer = Tokenizer::fromDirectory(fixtures + "/" + GetParam());
  for (const json &line : readLines(fixtures + "/" + GetParam() + "/golden.jsonl")) {
    IncrementalDecoder decoder(tokenizer, /*skipSpecial=*/true);
    std::string text;
    for (TokenId id : line["ids_sp"].get<std::vector<TokenId>>()) {
      std::string piece = decoder.push(id);
      text += piece;
      EXPECT_NO_THROW(json(piece).dump())
          << "half a character in the text of " << line.dump(); // dump() checks UTF-8.
    }
    text += decoder.finish();
    EXPECT_EQ(text, line["decode_skip"].get<std::string>()) << line.dump();
  }
}

INSTANTIATE_TEST_SUITE_P(All, Golden, testing::ValuesIn(all), testName);

class OlderFiles : public testing::TestWithParam<std::string> {};

TEST_P(OlderFiles, GiveWhatTokenizerJsonGives) {
  Tokenizer tokenizer = loadWithout(GetParam(), "tokenizer.json");
  std::vector<json> lines = readLines(fixtures + "/" + GetParam() + "/golden.jsonl");
  Report report;
  for (const json &line : lines)
    compareGolden(tokenizer, line, report);
  expectNone(report, lines.size());
}

INSTANTIATE_TEST_SUITE_P(All, OlderFiles,
                         testing::Values("gpt2-bpe", "roberta-bpe", "bert-wordpiece", "bert-wordpiece-cased",
                                         "openai-gpt-bpe"),
                         testName);

class SentencePieceModel : public testing::TestWithParam<std::string> {};

TEST_P(SentencePieceModel, GivesWhatSentencePieceGives) {
  std::vector<json> lines = readLines(fixtures + "/" + GetParam() + "/golden_spm.jsonl");
  bool llama = GetParam() == "llama-spm-bpe";
  Tokenizer direct = Tokenizer::fromSentencePiece(fixtures + "/" + GetParam() +
                                                  (llama ? "/tokenizer.model" : "/spiece.model"));
  Tokenizer fromFolder = loadWithout(GetParam(), "tokenizer.json");
  Report report;
  for (const json &line : lines) {
    compareSentencePiece(direct, line, report);
    // A folder's mask is no text; XLNet's is this.
    if (line["text"].get<std::string>().find("<mask>") == std::string::npos)
      compareSentencePiece(fromFolder, line, report);
  }
  expectNone(report, lines.size());
  json altered = lines.back();
  altered["pieces"][0] = "other";
  Report other;
  compareSentencePiece(direct, altered, other);
  EXPECT_EQ(other.differences.size(), 1u);
}

TEST_P(SentencePieceModel, TakesItsTemplateFromTheConfig) {
  Tokenizer older = loadWithout(GetParam(), "tokenizer.json");
  Tokenizer newer = Tokenizer::fromDirectory(fixtures + "/" + GetParam());
  EXPECT_EQ(older.encode("To be").ids, newer.encode("To be").ids);
  EXPECT_EQ(older.encode("To be", std::string("or not")).ids,
            newer.encode("To be", std::string("or not")).ids);
  EXPECT_EQ(older.encode("To be", std::string("or not")).typeIds,
            newer.encode("To be", std::string("or not")).typeIds);
  EXPECT_EQ(older.encode("To be").specialMask, newer.encode("To be").specialMask);
  EXPECT_EQ(older.vocabSize(), newer.vocabSize());
}

INSTANTIATE_TEST_SUITE_P(All, SentencePieceModel,
                         testing::Values("t5-unigram", "xlnet-unigram", "llama-spm-bpe"), testName);

TEST(SentencePieceClasses, MarianLooksPiecesUpInVocabJson) {
  // Marian's form, made from another model: ids come from vocab.json, and a piece it lacks is unknown.
  std::string model = fixtures + "/t5-unigram/spiece.model";
  Tokenizer plain = Tokenizer::fromSentencePiece(model);
  TemporaryDirectory directory;
  fs::copy(model, directory.path / "source.spm");
  std::vector<TokenId> pieces = plain.encodeIds("To be, or not");
  json vocab = {{"</s>", 0}, {"<unk>", 1}, {"<pad>", 2}};
  for (size_t i = 0; i + 1 < pieces.size(); ++i)
    vocab.emplace(*plain.idToToken(pieces[i]), vocab.size());
  std::ofstream(directory.path / "vocab.json") << vocab;
  std::ofstream(directory.path / "config.json") << R"({"model_type": "marian"})";
  Tokenizer marian = Tokenizer::fromDirectory(directory.path.string());
  std::vector<TokenId> expected;
  for (TokenId id : pieces)
    expected.push_back(vocab.value(*plain.idToToken(id), 1));
  expected.push_back(0);
  EXPECT_EQ(expected[expected.size() - 2], 1);
  EXPECT_EQ(marian.encodeIds("To be, or not"), expected);
}

TEST(SentencePieceClasses, XlmRobertaKeepsFairseqsOrder) {
  std::string model =
      fixtures + "/llama-spm-bpe/tokenizer.model"; // Starts with <unk>, <s>, </s>, as XLM-R's does.
  Tokenizer plain = Tokenizer::fromSentencePiece(model);
  TemporaryDirectory directory;
  fs::copy(model, directory.path / "sentencepiece.bpe.model");
  std::ofstream(directory.path / "tokenizer_config.json") << R"({"tokenizer_class": "XLMRobertaTokenizer"})";
  Tokenizer tokenizer = Tokenizer::fromDirectory(directory.path.string());
  std::vector<TokenId> expected = {0};
  for (TokenId id : plain.encodeIds("To be"))
    expected.push_back(id + 1);
  expected.push_back(2);
  EXPECT_EQ(tokenizer.encodeIds("To be"), expected);
  EXPECT_EQ(tokenizer.decode(expected), "To be");
  EXPECT_EQ(tokenizer.roleId("mask_token"), std::optional<TokenId>(1001));
  EXPECT_EQ(tokenizer.roleId("unk_token"), std::optional<TokenId>(3));
}

/// Folders of models and vocabularies as the hub has them, and the ids that the reference's classes give.
class FilesOfAClass : public testing::TestWithParam<std::string> {};

TEST_P(FilesOfAClass, GiveTheIdsOfTheReference) {
  std::string directory = fixtures + "/files-" + GetParam();
  Tokenizer tokenizer = Tokenizer::fromDirectory(directory);
  std::optional<Tokenizer> target = Tokenizer::targetFromDirectory(directory);
  std::vector<json> lines = readLines(directory + "/golden.jsonl");
  EXPECT_EQ(target.has_value(), lines.front().contains("target_ids"));
  Report report;
  for (const json &line : lines) {
    std::string text = line["text"];
    report.what = line["text"].dump();
    report.compare("ids_sp", tokenizer.encodeIds(text), line["ids_sp"]);
    report.compare("pair_ids_sp", tokenizer.encode(text, std::string("or not")).ids, line["pair_ids_sp"]);
    if (line.contains("decode"))
      report.compare("decode", tokenizer.decode(tokenizer.encodeIds(text, /*addSpecialTokens=*/false)),
                     line["decode"]);
    if (!target)
      continue;
    report.compare("target_ids", target->encodeIds(text, /*addSpecialTokens=*/false), line["target_ids"]);
    report.compare("target_decode", target->decode(line["target_ids"]), line["target_decode"]);
  }
  expectNone(report, lines.size());
}

TEST_P(FilesOfAClass, OffsetsLieInTheText) {
  std::string directory = fixtures + "/files-" + GetParam();
  Tokenizer tokenizer = Tokenizer::fromDirectory(directory);
  for (const json &line : readLines(directory + "/golden.jsonl")) {
    std::string text = line["text"];
    const size_t characters = unicode::count(text);
    for (auto [begin, end] : tokenizer.encode(text, /*addSpecialTokens=*/false).offsets) {
      EXPECT_LE(begin, end) << text;
      EXPECT_LE(end, characters) << text;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, FilesOfAClass,
                         testing::Values("camembert", "m2m100", "marian", "marian-pair", "mbart", "mbart50",
                                         "nllb", "nllb-legacy", "xlm-roberta", "xlm", "xlm-cased", "flaubert",
                                         "fsmt-en-de", "fsmt-de-en", "fsmt-ru-fr", "ctrl", "blenderbot-small",
                                         "prophetnet", "prophetnet-cased", "barthez", "bartpho", "xglm",
                                         "plbart", "plbart-java", "plbart-multi", "xlm-prophetnet", "phobert",
                                         "bertweet", "transfo-xl", "transfo-xl-lower"),
                         testName);

TEST(WordFiles, AreRefusedByWhatIsWrong) {
  auto refusal = [&](const std::string &kind, const char *file, const std::string &contents) {
    TemporaryDirectory directory;
    for (const auto &entry : fs::directory_iterator(fixtures + "/files-" + kind))
      fs::copy(entry.path(), directory.path / entry.path().filename());
    std::ofstream(directory.path / file) << contents;
    return errorOf([&] { Tokenizer::fromDirectory(directory.path.string()); });
  };
  EXPECT_NE(refusal("fsmt-en-de", "tokenizer_config.json", R"({"tokenizer_class": "FSMTTokenizer"})")
                .find("langs: expected a list of two languages"),
            std::string::npos);
  EXPECT_NE(refusal("fsmt-en-de", "tokenizer_config.json",
                    R"({"tokenizer_class": "FSMTTokenizer", "langs": ["cs", "en"]})")
                .find("the words of language 'cs' cannot be told apart, supported: de, en, fr, ru"),
            std::string::npos);
  EXPECT_NE(refusal("xlm", "merges.txt", "a b 1\nab\n").find("line 2: expected two tokens"),
            std::string::npos);
  EXPECT_NE(refusal("ctrl", "vocab.json", R"({"a": 0})").find("the unknown token '<unk>' is missing"),
            std::string::npos);
  EXPECT_NE(refusal("prophetnet", "prophetnet.tokenizer", "[PAD]\n").find("'[UNK]'"), std::string::npos);
  EXPECT_NE(refusal("bertweet", "tokenizer_config.json",
                    R"({"tokenizer_class": "BertweetTokenizer", "normalization": true})")
                .find("normalization: expected false, got true"),
            std::string::npos);
  EXPECT_NE(refusal("phobert", "vocab.txt", "a 5\nb\n").find("line 2: expected a token and its count"),
            std::string::npos);
  EXPECT_NE(refusal("phobert", "vocab.txt", "a 5\na 4\n").find("line 2: the token is there already"),
            std::string::npos);
  EXPECT_NE(refusal("transfo-xl", "vocab.txt", "the 5\n\n").find("line 2: expected a word, found none"),
            std::string::npos);
  EXPECT_NE(refusal("bartpho", "dict.txt", "the 5\n \n").find("line 2: expected a token, found none"),
            std::string::npos);
}

TEST(WordFiles, PicklesAreNotRead) {
  TemporaryDirectory directory;
  std::ofstream(directory.path / "vocab.pkl") << "\x80\x04.";
  EXPECT_NE(errorOf([&] {
              Tokenizer::fromDirectory(directory.path.string());
            }).find("vocab.pkl: a pickled vocabulary, which could hold any program, is not read"),
            std::string::npos);
}

TEST(WordFiles, OffsetsNameTheCharactersOfAWord) {
  Tokenizer tokenizer = Tokenizer::fromDirectory(fixtures + "/files-xlm");
  Encoding encoding = tokenizer.encode("\xC3\x89t\xC3\xA9\xE2\x80\xA6 don't", /*addSpecialTokens=*/false);
  using Offsets = std::vector<std::pair<uint32_t, uint32_t>>;
  Offsets words;
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    if (i > 0 && encoding.wordIds[i] == encoding.wordIds[i - 1])
      words.back().second = encoding.offsets[i].second;
    else
      words.push_back(encoding.offsets[i]);
  }
  EXPECT_EQ(words, (Offsets{{0, 3}, {3, 4}, {5, 8}, {8, 10}}));
}

TEST(SentencePieceClasses, LanguagesAreSpecialAndKnownByName) {
  Tokenizer tokenizer = Tokenizer::fromDirectory(fixtures + "/files-m2m100");
  TokenId german = tokenizer.encodeIds("To be").front();
  EXPECT_EQ(tokenizer.tokenToId("__de__"), std::optional<TokenId>(german));
  EXPECT_TRUE(tokenizer.isSpecial(german));
  EXPECT_EQ(tokenizer.decode(tokenizer.encodeIds("To be")), "To be");
}

/// The ids are those of the reference's Python classes.
TEST(SentencePieceClasses, TheMaskIsFoundInText) {
  const std::map<std::string, std::vector<TokenId>> expected = {
      {"camembert", {5, 31, 184, 46, 9, 7, 65, 184, 74, 184, 6}},
      {"xlm-roberta", {0, 28, 181, 43, 6, 4, 62, 181, 71, 181, 2}},
      {"mbart", {28, 206, 43, 6, 4, 62, 206, 71, 206, 2, 184}},
      {"barthez", {0, 23, 400, 37, 5, 4, 58, 400, 60, 400, 2}},
      {"bartpho", {0, 19, 321, 30, 4, 3, 47, 321, 48, 321, 2}}};
  for (const auto &[kind, ids] : expected) {
    Tokenizer tokenizer = Tokenizer::fromDirectory(fixtures + "/files-" + kind);
    EXPECT_EQ(tokenizer.encodeIds("to  <mask> be, or<mask>not <mask>"), ids) << kind;
    EXPECT_EQ(tokenizer.encodeIds("<s>"), tokenizer.encode("<s>").ids);
    EXPECT_GT(tokenizer.encodeIds("<s>").size(), 3u) << kind << ": other special tokens are text";
  }
}

TEST(SentencePieceClasses, WhatIsNotSupportedIsRefusedByName) {
  std::string model = fixtures + "/files-mbart/sentencepiece.bpe.model";
  auto refusal = [&](const char *name, const char *contents, const char *file) {
    TemporaryDirectory directory;
    fs::copy(model, directory.path / file);
    std::ofstream(directory.path / name) << contents;
    try {
      Tokenizer::fromDirectory(directory.path.string());
    } catch (const Error &error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  const char *config = "tokenizer_config.json", *pieces = "sentencepiece.bpe.model";
  EXPECT_NE(refusal(config, R"({"tokenizer_class": "MBartTokenizer", "src_lang": "xx"})", pieces)
                .find("src_lang: expected a language of a MBart tokenizer"),
            std::string::npos);
  EXPECT_NE(refusal(config, R"({"tokenizer_class": "PLBartTokenizer", "src_lang": "go"})", pieces)
                .find("src_lang: expected a language of a PLBart tokenizer, such as '__java__', got 'go'"),
            std::string::npos);
  EXPECT_NE(refusal(config, R"({"tokenizer_class": "BartphoTokenizer"})", pieces).find("dict.txt"),
            std::string::npos);
}

//===----------------------------------------------------------------------===//
// Ways that must agree
//===----------------------------------------------------------------------===//

TEST(ByteLevel, TheRegexEngineCutsLikeTheScanner) {
  // Split and ByteLevel without its own pattern: `pattern` is GPT-2's, or the same in other words.
  auto variant = [](const std::string &pattern) {
    json document = fixtureDocument("gpt2-bpe");
    json byteLevel = document["pre_tokenizer"];
    byteLevel["use_regex"] = false;
    json split = {
        {"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
    document["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", {split, byteLevel}}};
    return document;
  };
  std::string same = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
  Tokenizer scanner = fromDocument(variant(same));
  Tokenizer engine = fromDocument(variant("(?:" + same + ")"));
  // An unused normalized token and a normalizer that is not certain to keep ASCII text force the plain way.
  json plainDocument = variant("(?:" + same + ")");
  plainDocument["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", "\x01\x03"}}}, {"content", ""}};
  Tokenizer plain = fromDocument(plainDocument);
  Report report;
  std::vector<json> lines = readLines(fixtures + "/gpt2-bpe/golden.jsonl");
  for (const json &line : lines) {
    compareGolden(scanner, line, report);
    compareGolden(engine, line, report);
    compareGolden(plain, line, report);
  }
  expectNone(report, lines.size());
}

TEST(ByteLevel, ThePrefixSpaceBelongsToTheFirstCharacter) {
  for (const char *forced : {"", "x"}) { // With a normalizer the plain way is taken.
    json document = fixtureDocument("gpt2-bpe");
    document["pre_tokenizer"]["add_prefix_space"] = true;
    if (*forced)
      document["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", "\x01\x03"}}}, {"content", ""}};
    Tokenizer tokenizer = fromDocument(document);
    Encoding encoding = tokenizer.encode("\xC3\xA9t the");
    EXPECT_EQ(encoding.ids, fromDocument(fixtureDocument("gpt2-bpe")).encode(" \xC3\xA9t the").ids);
    EXPECT_EQ(encoding.offsets.front(), (std::pair<uint32_t, uint32_t>{0, 1}));
    EXPECT_EQ(encoding.offsets.back().second, 6u);
  }
}

TEST(Bpe, LongAndShortWordsMergeAlike) {
  // Words around the length where the scan gives way to the heap, each also as part of a longer text.
  Tokenizer gpt2 = Tokenizer::fromDirectory(fixtures + "/gpt2-bpe");
  std::string text = readTextFile(fixtures + "/gpt2-bpe/golden.jsonl").substr(0, 20000), letters;
  for (char c : text)
    if (std::isalpha(static_cast<unsigned char>(c)))
      letters += c;
  json naive = fixtureDocument("gpt2-bpe");
  std::map<std::pair<std::string, std::string>, int> rank;
  for (const json &merge : naive["model"]["merges"])
    rank.emplace(std::pair(merge[0].get<std::string>(), merge[1].get<std::string>()),
                 static_cast<int>(rank.size()));
  for (size_t length = 1; length < 120; ++length) {
    std::string word = letters.substr(length * 7, length);
    std::vector<std::string> parts;
    for (char c : word)
      parts.push_back(std::string(1, c));
    while (true) { // The definition, with no cleverness.
      size_t best = parts.size();
      int bestRank = INT32_MAX;
      for (size_t i = 0; i + 1 < parts.size(); ++i) {
        auto found = rank.find({parts[i], parts[i + 1]});
        if (found != rank.end() && found->second < bestRank) {
          bestRank = found->second;
          best = i;
        }
      }
      if (best == parts.size())
        break;
      parts[best] += parts[best + 1];
      parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    }
    EXPECT_EQ(gpt2.encode(word, false).tokens, parts) << word;
    EXPECT_EQ(gpt2.encode(word, false).tokens, parts) << "from the cache: " << word;
  }
}

TEST(Threads, ShareOneTokenizer) {
  Tokenizer tokenizer = Tokenizer::fromDirectory(fixtures + "/gpt2-bpe");
  std::vector<json> lines = readLines(fixtures + "/gpt2-bpe/golden.jsonl");
  std::vector<Report> reports(4);
  std::vector<std::thread> threads;
  for (Report &report : reports)
    threads.emplace_back([&] {
      for (const json &line : lines)
        compareGolden(tokenizer, line, report);
    });
  for (std::thread &thread : threads)
    thread.join();
  for (const Report &report : reports)
    expectNone(report, lines.size());
}

//===----------------------------------------------------------------------===//
// Parts that no fixture uses
//===----------------------------------------------------------------------===//

namespace {

/// A tokenizer whose words are its tokens: each new word gets the unknown id, its offsets show the cuts.
json wordDocument() {
  return {{"version", "1.0"},
          {"model", {{"type", "Unigram"}, {"unk_id", 0}, {"vocab", json::array({{"<unk>", 0.0}})}}}};
}

/// The words that `preTokenizer` makes of `text`.
std::vector<std::string> cut(const json &preTokenizer, const std::string &text) {
  json document = wordDocument();
  document["pre_tokenizer"] = preTokenizer;
  return fromDocument(document).encode(text).tokens;
}

/// What `normalizer` makes of `text`, with the first and last code point of each token's origin.
std::string normalized(const json &normalizer, const std::string &text) {
  json document = wordDocument();
  document["normalizer"] = normalizer;
  Encoding encoding = fromDocument(document).encode(text);
  return encoding.tokens.empty() ? "" : encoding.tokens.at(0);
}

/// The text that `decoder` makes of `tokens`.
std::string decoded(const json &decoder, const std::vector<std::string> &tokens) {
  json document = wordDocument();
  document["decoder"] = decoder;
  std::vector<TokenId> ids;
  for (const std::string &token : tokens) {
    json &vocab = document["model"]["vocab"];
    TokenId id = noToken;
    for (size_t i = 0; i < vocab.size(); ++i)
      if (vocab[i][0] == token)
        id = static_cast<TokenId>(i);
    if (id == noToken) {
      id = static_cast<TokenId>(vocab.size());
      vocab.push_back({token, -1.0});
    }
    ids.push_back(id);
  }
  return fromDocument(document).decode(ids, false);
}

using Words = std::vector<std::string>;

} // namespace

TEST(PreTokenizers, SplitHasFiveBehaviors) {
  auto split = [](const char *behavior, bool invert = false) {
    json part = {
        {"type", "Split"}, {"pattern", {{"String", "-"}}}, {"behavior", behavior}, {"invert", invert}};
    return cut(part, "the-final--countdown");
  };
  EXPECT_EQ(split("Removed"), (Words{"the", "final", "countdown"}));
  EXPECT_EQ(split("Isolated"), (Words{"the", "-", "final", "-", "-", "countdown"}));
  EXPECT_EQ(split("MergedWithPrevious"), (Words{"the-", "final-", "-", "countdown"}));
  EXPECT_EQ(split("MergedWithNext"), (Words{"the", "-final", "-", "-countdown"}));
  EXPECT_EQ(split("Contiguous"), (Words{"the", "-", "final", "--", "countdown"}));
  EXPECT_EQ(split("Removed", true), (Words{"-", "-", "-"}));
}

TEST(PreTokenizers, CutAsTheReferenceDoes) {
  EXPECT_EQ(cut({{"type", "Whitespace"}}, "How are_you? \xC3\xA9t\xC3\xA9!!"),
            (Words{"How", "are_you", "?", "\xC3\xA9t\xC3\xA9", "!!"}));
  EXPECT_EQ(cut({{"type", "WhitespaceSplit"}}, " Hey,\tman \n!"), (Words{"Hey,", "man", "!"}));
  EXPECT_EQ(cut({{"type", "Digits"}, {"individual_digits", false}}, "Hey 123 friend!"),
            (Words{"Hey ", "123", " friend!"}));
  EXPECT_EQ(cut({{"type", "Digits"}, {"individual_digits", true}}, "Hey 123!"),
            (Words{"Hey ", "1", "2", "3", "!"}));
  EXPECT_EQ(cut({{"type", "Punctuation"}}, "Hey friend!     How?!?"),
            (Words{"Hey friend", "!", "     How", "?", "!", "?"}));
  EXPECT_EQ(cut({{"type", "CharDelimiterSplit"}, {"delimiter", "\xE2\x82\xAC"}}, "a\xE2\x82\xAC\xE2\x82\xAC"
                                                                                 "bc"),
            (Words{"a", "bc"}));
  EXPECT_EQ(cut({{"type", "FixedLength"}, {"length", 3}}, "\xC3\xA9"
                                                          "bcdefg"),
            (Words{"\xC3\xA9"
                   "bc",
                   "def", "g"}));
  EXPECT_EQ(cut({{"type", "UnicodeScripts"}},
                "\xE3\x81\xA9\xE3\x81\x93\xE3\x81\xA7\xE7\x94\x9F\xE3\x82\x8C\xE3\x80\x82Yes"),
            (Words{"\xE3\x81\xA9\xE3\x81\x93\xE3\x81\xA7\xE7\x94\x9F\xE3\x82\x8C", "\xE3\x80\x82", "Yes"}));
  EXPECT_EQ(cut({{"type", "UnicodeScripts"}},
                "Apples are \xE3\x82\x8A\xE3\x82\x93\xE3\x81\x94 \xE6\x9E\x97\xE6\xAA\x8E"),
            (Words{"Apples are ", "\xE3\x82\x8A\xE3\x82\x93\xE3\x81\x94 \xE6\x9E\x97\xE6\xAA\x8E"}));
  // A blank by itself has no script, whatever was cut before it.
  json blanks = {
      {"type", "Split"}, {"pattern", {{"String", " "}}}, {"behavior", "Isolated"}, {"invert", false}};
  EXPECT_EQ(cut({{"type", "Sequence"}, {"pretokenizers", {blanks, {{"type", "UnicodeScripts"}}}}}, "a b"),
            (Words{"a", "b"}));
  json metaspace = {
      {"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", "first"}, {"split", true}};
  EXPECT_EQ(cut(metaspace, "Hey  my"), (Words{"_Hey", "_", "_my"}));
  metaspace["prepend_scheme"] = "never";
  metaspace["split"] = false;
  EXPECT_EQ(cut(metaspace, "Hey my"), (Words{"Hey_my"}));
}

TEST(PreTokenizers, ScriptPatternsAndClassesMeanWhatOnigurumaMeans) {
  auto split = [](const char *pattern, const std::string &text) {
    return cut(
        {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Removed"}, {"invert", true}},
        text);
  };
  EXPECT_EQ(split("\\s", "a\xE1\xA0\x8E"
                         "b c"),
            (Words{" "})); // U+180E is no white space.
  EXPECT_EQ(split("\\w+", "e\xCC\x81t_9-x"), (Words{"e\xCC\x81t_9", "x"}));
  EXPECT_EQ(split("[\\w']+", "e\xCC\x81t's x"), (Words{"e\xCC\x81t's", "x"}));
  EXPECT_EQ(split("\\w+", "a\xC2\xBD\xC2\xB2 \xE2\x85\x93"),
            (Words{"a\xC2\xBD\xC2\xB2"})); // Of the fractions, Latin-1's.
  EXPECT_EQ(split("[[:alnum:]]+", "a1\xC2\xBD+2"), (Words{"a1", "2"}));
  EXPECT_EQ(split("[[:punct:]]", "a$+\xE2\x82\xAC.1"), (Words{"$", "+", "\xE2\x82\xAC", "."}));
  EXPECT_EQ(split("^.", "ab\ncd"), (Words{"a", "c"})); // ^ matches at every line.
  EXPECT_EQ(split("(?i:'s)|\\p{N}{1,3}", "it'S 12345"), (Words{"'S", "123", "45"}));
}

TEST(Normalizers, RewriteAsTheReferenceDoes) {
  EXPECT_EQ(normalized({{"type", "NFC"}}, "e\xCC\x81"), "\xC3\xA9");
  EXPECT_EQ(normalized({{"type", "NFD"}}, "\xC3\xA9"), "e\xCC\x81");
  EXPECT_EQ(normalized({{"type", "NFKC"}}, "\xEF\xAC\x81\xC2\xB2"), "fi2");
  EXPECT_EQ(normalized({{"type", "NFKD"}}, "\xEA\xB0\x81"),
            "\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8"); // Hangul.
  EXPECT_EQ(normalized({{"type", "Lowercase"}}, "\xC4\xB0"
                                                "A\xCE\xA3"),
            "i\xCC\x87"
            "a\xCF\x83");
  EXPECT_EQ(normalized({{"type", "StripAccents"}}, "e\xCC\x81x"), "ex");
  EXPECT_EQ(normalized({{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}}, " \ta b\n "), "a b");
  EXPECT_EQ(normalized({{"type", "Strip"}, {"strip_left", false}, {"strip_right", true}}, " a "), " a");
  EXPECT_EQ(normalized({{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", "_"}}, "a   b c"),
            "a_b c");
  EXPECT_EQ(normalized({{"type", "Prepend"}, {"prepend", "__"}}, "a"), "__a");
  EXPECT_EQ(normalized({{"type", "Nmt"}}, "a\x01\tb\xE2\x80\x8B\xEF\xBB\xBF"), "a b  ");
  EXPECT_EQ(normalized({{"type", "ByteLevel"}}, " \xC3\xA9"), "\xC4\xA0\xC3\x83\xC2\xA9");
}

TEST(Decoders, JoinAsTheReferenceDoes) {
  EXPECT_EQ(
      decoded({{"type", "CTC"}, {"pad_token", "<pad>"}, {"word_delimiter_token", "|"}, {"cleanup", true}},
              {"<pad>", "h", "h", "e", "l", "<pad>", "l", "o", "|", "|", "w"}),
      "hello w");
  EXPECT_EQ(
      decoded({{"type", "Strip"}, {"content", "H"}, {"start", 1}, {"stop", 0}}, {"Hey", " friend!", "HHH"}),
      "ey friend!HH");
  EXPECT_EQ(decoded({{"type", "Strip"}, {"content", "y"}, {"start", 0}, {"stop", 2}}, {"Hey", "yyy", "y"}),
            "Hey");
  EXPECT_EQ(decoded({{"type", "ByteFallback"}}, {"<0xE5>", "<0x8f>", "<0xab>", "a", "<0xE5>", "b"}),
            "\xE5\x8F\xAB"
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(decoded({{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}},
                    {"do", "##n", "'", "t", "stop", "!"}),
            "don ' t stop!");
  EXPECT_EQ(decoded({{"type", "Replace"}, {"pattern", {{"String", "_"}}}, {"content", " "}}, {"a_b", "_c"}),
            "a b c");
  EXPECT_EQ(decoded({{"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", "never"}}, {"_a", "_b"}),
            " a b");
}

TEST(Models, WordLevelKnowsWordsOrNothing) {
  json document = {{"model", {{"type", "WordLevel"}, {"unk_token", "?"}, {"vocab", {{"?", 7}, {"a", 9}}}}},
                   {"pre_tokenizer", {{"type", "WhitespaceSplit"}}}};
  EXPECT_EQ(fromDocument(document).encode("a b a").ids, (std::vector<TokenId>{9, 7, 9}));
  document["model"]["unk_token"] = "none";
  EXPECT_NE(
      errorOf([&] { fromDocument(document).encode("a b"); }).find("the word 'b' is not in the vocabulary"),
      std::string::npos);
}

TEST(Models, BpeFollowsItsOptions) {
  json model = {{"type", "BPE"},
                {"unk_token", "?"},
                {"vocab", {{"?", 0}, {"a", 1}, {"b", 2}, {"##b", 3}, {"ab", 4}, {"##c", 5}, {"abc", 6}}},
                {"merges", {"a ##b"}},
                {"continuing_subword_prefix", "##"}};
  EXPECT_EQ(fromDocument({{"model", model}}).encode("abxxc").tokens, (Words{"ab", "?", "?", "##c"}));
  model["fuse_unk"] = true;
  EXPECT_EQ(fromDocument({{"model", model}}).encode("abxxc").tokens, (Words{"ab", "?", "##c"}));
  EXPECT_EQ(fromDocument({{"model", model}}).encode("abc").tokens, (Words{"ab", "##c"}));
  model["ignore_merges"] = true;
  EXPECT_EQ(fromDocument({{"model", model}}).encode("abc").tokens, (Words{"abc"}));
}

TEST(AddedTokens, ObeyTheirFlags) {
  json document = wordDocument();
  document["normalizer"] = {{"type", "Lowercase"}};
  auto ids = [&](const json &token, const std::string &text) {
    json with = document;
    with["added_tokens"] = {token};
    return fromDocument(with).encode(text);
  };
  json token = {{"id", 5}, {"content", "Yes"}, {"normalized", false}, {"special", false}};
  EXPECT_EQ(ids(token, "a Yes yes").ids, (std::vector<TokenId>{0, 5, 0}));
  token["lstrip"] = true;
  EXPECT_EQ(ids(token, "a  Yes b").tokens, (Words{"a", "  Yes", " b"}));
  token["rstrip"] = true;
  EXPECT_EQ(ids(token, "a  Yes \tb").tokens, (Words{"a", "  Yes \t", "b"}));
  EXPECT_EQ(ids(token, "a  Yes \tb").offsets[1], (std::pair<uint32_t, uint32_t>{1, 8}));
  token["single_word"] = true;
  EXPECT_EQ(ids(token, "aYes Yesb Yes").ids, (std::vector<TokenId>{0, 5}));
  // A token may begin in the blank that the one before it took along.
  document["added_tokens"] = {{{"id", 5}, {"content", "Yes"}, {"normalized", false}, {"rstrip", true}},
                              {{"id", 6}, {"content", " no"}, {"normalized", false}}};
  EXPECT_EQ(fromDocument(document).encode("Yes no").ids, (std::vector<TokenId>{5, 6}));
  EXPECT_EQ(fromDocument(document).encode("Yes no").tokens, (Words{"Yes ", " no"}));
  token = {{"id", 5}, {"content", "Yes"}, {"normalized", true}};
  EXPECT_EQ(ids(token, "a YES b").ids, (std::vector<TokenId>{0, 5, 0}));
}

//===----------------------------------------------------------------------===//
// Streams, bad input, hostile files, long input
//===----------------------------------------------------------------------===//

TEST(IncrementalDecoder, HoldsBackHalfCharacters) {
  Tokenizer tokenizer = Tokenizer::fromDirectory(fixtures + "/gpt2-bpe");
  std::vector<TokenId> ids = tokenizer.encode("\xF0\x9F\x98\x80", false).ids;
  ASSERT_GT(ids.size(), 1u);
  IncrementalDecoder decoder(tokenizer);
  for (size_t i = 0; i + 1 < ids.size(); ++i)
    EXPECT_EQ(decoder.push(ids[i]), "");
  EXPECT_EQ(decoder.push(ids.back()), "\xF0\x9F\x98\x80");
  EXPECT_EQ(decoder.push(ids[0]), "");
  EXPECT_EQ(decoder.finish(), "\xEF\xBF\xBD");
}

TEST(IncrementalDecoder, StandsBytesThatNeverEnd) {
  Tokenizer tokenizer = Tokenizer::fromDirectory(fixtures + "/gpt2-bpe");
  TokenId lead = tokenizer.encode("\xF0\x9F\x98\x80", false).ids[0];
  IncrementalDecoder decoder(tokenizer);
  std::string text;
  for (int i = 0; i < 2000; ++i)
    text += decoder.push(lead);
  text += decoder.finish();
  EXPECT_EQ(text, tokenizer.decode(std::vector<TokenId>(2000, lead)));
}

TEST(BadInput, NamesTheByteThatIsNotUtf8) {
  Tokenizer tokenizer = Tokenizer::fromDirectory(fixtures + "/gpt2-bpe");
  for (auto &[text, offset] : std::vector<std::pair<std::string, int>>{{"abc\xFF", 3},
                                                                       {"0123456789\xC3", 10},
                                                                       {"\xED\xA0\x80", 0},
                                                                       {"a\xF5\x80\x80\x80", 1},
                                                                       {"\xC0\x80", 0}})
    EXPECT_NE(errorOf([&, t = text] { tokenizer.encode(t); }).find("at offset " + std::to_string(offset)),
              std::string::npos);
}

TEST(HostileFiles, AreRefusedWithAReason) {
  json base = fixtureDocument("bert-wordpiece");
  base["model"]["vocab"] = {{"[UNK]", 1}, {"[CLS]", 2}, {"[SEP]", 3}, {"a", 4}};
  base["added_tokens"] = json::array();
  ASSERT_NO_THROW(fromDocument(base));
  struct Case {
    const char *pointer;
    json value;
    const char *expected;
  };
  json nested = {{"type", "NFC"}};
  for (int i = 0; i < 20; ++i)
    nested = {{"type", "Sequence"}, {"normalizers", {nested}}};
  json templateOf = {
      {"type", "TemplateProcessing"}, {"special_tokens", json::object()}, {"pair", json::array()}};
  json missing = templateOf, wrongSequence = templateOf, uneven = templateOf;
  missing["single"] = {{{"SpecialToken", {{"id", "[X]"}, {"type_id", 0}}}}};
  wrongSequence["single"] = {{{"Sequence", {{"id", "B"}, {"type_id", 0}}}}};
  uneven["single"] = json::array();
  uneven["special_tokens"] = {{"x", {{"id", "x"}, {"ids", {1, 2}}, {"tokens", {"x"}}}}};
  auto split = [](const char *pattern) {
    return json{
        {"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
  };
  for (const Case &test : std::vector<Case>{
           {"/normalizer",
            {{"type", "Nonsense"}},
            "t.json: normalizer 'Nonsense': unknown type, supported: BertNormalizer"},
           {"/pre_tokenizer",
            {{"type", "Nonsense"}},
            "t.json: pre_tokenizer 'Nonsense': unknown type, supported: "},
           {"/post_processor",
            {{"type", "Nonsense"}},
            "t.json: post_processor 'Nonsense': unknown type, supported: "},
           {"/decoder", {{"type", "Nonsense"}}, "t.json: decoder 'Nonsense': unknown type, supported: "},
           {"/model/type", "Nonsense", "t.json: model 'Nonsense': unknown type, supported: BPE"},
           {"/normalizer", json::object(), "t.json: normalizer: missing field 'type'"},
           {"/normalizer", {{"type", "Strip"}}, "missing field 'strip_left'"},
           {"/normalizer", nested, "sequences nest deeper than 16"},
           {"/normalizer", {{"type", "Precompiled"}, {"precompiled_charsmap", "!"}}, "not valid base64"},
           {"/normalizer", {{"type", "Precompiled"}, {"precompiled_charsmap", "/////w=="}}, "does not fit"},
           {"/pre_tokenizer", split("("), "bad pattern '('"},
           {"/pre_tokenizer", split("[a&&[b]]"), "&& is not supported"},
           {"/pre_tokenizer", {{"type", "FixedLength"}, {"length", 0}}, "expected an integer from 1"},
           {"/pre_tokenizer", {{"type", "Metaspace"}, {"replacement", "__"}}, "expected one character"},
           {"/post_processor", missing, "special token '[X]' is not in special_tokens"},
           {"/post_processor", wrongSequence, "expected sequence 'A', found 'B'"},
           {"/post_processor", uneven, "expected as many tokens as ids, found 1 and 2"},
           {"/model/vocab/a", -1,
            "model 'WordPiece': vocab 'a': expected an integer from 0 to 2147483646, found -1"},
           {"/model/vocab/a", 1ull << 40, "found 1099511627776"},
           {"/model/vocab/a", 1.5, "found 1.5"},
           {"/model/vocab/a", "x", "found \"x\""},
           {"/model/vocab", json::array(), "expected an object of tokens and ids, found array"},
           {"/model/unk_token", "[NO]", "unk_token '[NO]' is not in the vocabulary"},
           {"/model",
            {{"type", "BPE"}, {"vocab", {{"a", 0}}}, {"merges", json::array({{"a", "a"}})}},
            "model 'BPE': merges[0]: token 'aa' is not in the vocabulary"},
           {"/model", {{"type", "BPE"}, {"vocab", {{"a", 0}}}, {"merges", {"a a a"}}}, "expected two tokens"},
           {"/model",
            {{"type", "BPE"}, {"vocab", {{"a", 0}}}, {"merges", {1}}},
            "merges[0]: expected two strings"},
           {"/model",
            {{"type", "Unigram"}, {"vocab", json::array({{"a", 0.0}})}, {"unk_id", 1}},
            "unk_id 1 is not below"},
           {"/model",
            {{"type", "Unigram"}, {"vocab", json::array({json::array({"a"})})}},
            "expected a token and its score"},
           {"/added_tokens", {{{"id", 1}, {"content", "x"}}}, "added token 'x' has the id 1 of '[UNK]'"},
           {"/added_tokens",
            {{{"id", 8}, {"content", "x"}}, {{"id", 8}, {"content", "y"}}},
            "have the same id 8"},
           {"/added_tokens", {{{"content", "x"}}}, "added_tokens[0]: missing field 'id'"},
           {"/version", "2.0", "version '2.0' is not supported"}}) {
    json document = base;
    document[json::json_pointer(test.pointer)] = test.value;
    std::string error = errorOf([&] { fromDocument(document); });
    EXPECT_NE(error.find(test.expected), std::string::npos) << test.pointer << ": " << error;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  }
  EXPECT_NE(errorOf([] { Tokenizer::fromJson("[]", "t.json"); }).find("expected an object"),
            std::string::npos);
  EXPECT_NE(errorOf([] { Tokenizer::fromJson("{", "t.json"); }).find("t.json: "), std::string::npos);
  EXPECT_NE(errorOf([] { Tokenizer::fromDirectory("/nonexistent"); }).find("no such directory"),
            std::string::npos);
  // A huge id is legal and costs no memory.
  json document = base;
  document["model"]["vocab"]["a"] = 2147483646;
  EXPECT_EQ(fromDocument(document).encode("a", false).ids, (std::vector<TokenId>{2147483646}));
}

TEST(HostileFiles, DamagedDocumentsLoadOrAreRefused) {
  uint32_t random = 1;
  auto next = [&](size_t n) {
    random = random * 1664525 + 1013904223; // Numerical Recipes.
    return static_cast<size_t>(random >> 8) % n;
  };
  const std::vector<json> values = {
      nullptr,       true,           -1,  0,  3.5, 1ull << 62, "", "x", "\n\xE2\x96\x81",
      json::array(), json::object(), 999, "B"};
  size_t refused = 0, loaded = 0;
  for (const std::string &name : all) {
    json base = fixtureDocument(name);
    // A few tokens will do; the vocabulary is not what is damaged most of the time.
    json small = base;
    small["model"].erase("vocab");
    small["model"].erase("merges");
    std::vector<std::string> places;
    json flat = small.flatten();
    for (const auto &[pointer, value] : flat.items())
      for (std::string place = pointer; !place.empty(); place.erase(place.rfind('/')))
        places.push_back(place);
    for (int i = 0; i < 40; ++i) {
      json document = base;
      for (size_t k = 0; k <= next(2); ++k) {
        json::json_pointer place(places[next(places.size())]);
        json value = next(3) > 0 ? values[next(values.size())]
                                 : base.value(json::json_pointer(places[next(places.size())]), json());
        if (document.contains(place))
          document[place] = std::move(value);
      }
      try { // Any other exception fails the test.
        Tokenizer tokenizer = fromDocument(document);
        Encoding encoding = tokenizer.encode("It's <mask> \xC3\xA9\xE4\xBD\xA0  12", " [SEP]\n ");
        tokenizer.decode(encoding.ids, false);
        ++loaded;
      } catch (const Error &error) {
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 50u);
  EXPECT_GT(loaded, 20u);
}

TEST(HostileFiles, DamagedModelsNeverCrash) {
  TemporaryDirectory directory;
  std::string path = (directory.path / "spiece.model").string();
  std::string good = readTextFile(fixtures + "/llama-spm-bpe/tokenizer.model");
  auto attempt = [&](const std::string &bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    try {
      Tokenizer tokenizer = Tokenizer::fromSentencePiece(path);
      tokenizer.decode(tokenizer.encode("Hello \xE4\xBD\xA0!").ids);
      return true;
    } catch (const Error &) {
      return false;
    }
  };
  EXPECT_TRUE(attempt(good));
  EXPECT_FALSE(attempt(good.substr(0, 20))); // No unknown piece, or cut inside one.
  EXPECT_FALSE(attempt("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F"));
  uint32_t random = 1;
  for (int i = 0; i < 300; ++i) {
    std::string bytes = good;
    for (int k = 0; k < 3; ++k) {
      random = random * 1664525 + 1013904223; // Numerical Recipes.
      bytes[(random >> 8) % bytes.size()] = static_cast<char>(random >> 24);
    }
    attempt(bytes);
  }
}

TEST(LongInput, TakesTimeInProportion) {
  struct Case {
    std::string name, text;
  };
  std::string megabyte(1 << 20, 'a'), mixed, points, blanks(1 << 20, ' ');
  for (size_t i = 0; i < (1 << 20); ++i)
    mixed += "etaoinshrdlu"[(i * i + i / 7) % 12];
  for (size_t i = 0; i < (1 << 20); ++i)
    points += ".,'\"( )5a`-"[(i * i + i / 5) % 11];
  std::vector<std::string> kinds = all;
  for (const char *name : {"files-xlm", "files-fsmt-en-de", "files-ctrl", "files-blenderbot-small",
                           "files-prophetnet", "files-transfo-xl"})
    kinds.push_back(name);
  for (const std::string &name : kinds) {
    Tokenizer tokenizer = Tokenizer::fromDirectory(fixtures + "/" + name);
    for (const std::string *text : {&megabyte, &mixed, &points, &blanks}) {
      std::clock_t start = std::clock();
      std::vector<TokenId> ids = tokenizer.encodeIds(*text);
      double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
      // Processor time, under a second on an idle core; sanitizers take ten times that. Quadratic code takes
      // hours.
      EXPECT_LT(seconds, 60.0) << name;
      std::printf("%-22s %c... %.3f s, %zu ids\n", name.c_str(), (*text)[0], seconds, ids.size());
    }
  }
}

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FIXTURES\n", argv[0]);
    return 2;
  }
  fixtures = argv[1];
  return RUN_ALL_TESTS();
}
