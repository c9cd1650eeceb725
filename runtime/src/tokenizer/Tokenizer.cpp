//===- Tokenizer.cpp - Text to token ids and back -------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TokenizerImpl.h"
#include "support/Json.h"
#include "support/MappedFile.h"

#include <algorithm>

using namespace sesame;
using Impl = Tokenizer::Impl;

//===----------------------------------------------------------------------===//
// Construction
//===----------------------------------------------------------------------===//

std::unique_ptr<Impl> TokenizerBuilder::fromDocument(const nlohmann::json &document,
                                                     const std::string &name) {
  JsonView json(document, name);
  if (!document.is_object())
    json.fail("expected an object, found ", document.type_name());
  if (json.has("version") && json.string("version") != "1.0")
    json.fail("version ", inQuotes(json.string("version")), " is not supported, expected '1.0'");
  auto impl = std::make_unique<Impl>();
  impl->name = name;
  // The places are named "normalizer 'X'", not "normalizer: 'X'": see JsonView::type().
  auto part = [&](const char *key) { return JsonView(json.at(key).raw(), name + ": " + key); };
  impl->model = makeModel(part("model"));
  if (json.has("normalizer"))
    impl->normalizer = makeNormalizer(part("normalizer"));
  if (json.has("pre_tokenizer"))
    impl->preTokenizer = makePreTokenizer(part("pre_tokenizer"));
  if (json.has("post_processor"))
    impl->postProcessor = makePostProcessor(part("post_processor"));
  if (json.has("decoder"))
    impl->decoder = makeDecoder(part("decoder"));
  if (json.has("added_tokens"))
    json.at("added_tokens").forEach([&](const JsonView &entry) {
      AddedToken token;
      token.content = entry.string("content");
      token.id = entry.at("id").tokenId();
      token.special = entry.boolean("special", false);
      token.singleWord = entry.boolean("single_word", false);
      token.lstrip = entry.boolean("lstrip", false);
      token.rstrip = entry.boolean("rstrip", false);
      token.normalized = entry.boolean("normalized", !token.special);
      impl->added.push_back(std::move(token));
    });
  impl->finish();
  return impl;
}

void Impl::finish() {
  std::vector<AddedToken> kept;
  for (AddedToken &token : added) {
    if (token.content.empty())
      continue;
    // A token that the model knows keeps the model's id; the file's is for those it does not know.
    TokenId modelId = model->vocabulary().find(token.content);
    if (modelId != noToken)
      token.id = modelId;
    else if (model->vocabulary().token(token.id))
      throw Error(message(name, ": added token ", inQuotes(token.content), " has the id ", token.id, " of ",
                          inQuotes(*model->vocabulary().token(token.id))));
    auto known = addedIds.find(token.content);
    if (known != addedIds.end()) { // Said twice: the later description counts.
      token.id = known->second;
      kept[addedById.at(token.id)] = token;
      continue;
    }
    if (!addedById.emplace(token.id, kept.size()).second)
      throw Error(message(name, ": added tokens ", inQuotes(kept[addedById.at(token.id)].content), " and ",
                          inQuotes(token.content), " have the same id ", token.id));
    addedIds.emplace(token.content, token.id);
    kept.push_back(std::move(token));
  }
  added = std::move(kept);
  for (size_t i = 0; i < added.size(); ++i) {
    const AddedToken &token = added[i];
    if (token.special)
      specials.insert(token.content);
    if (!token.normalized) {
      rawTrie.insert(token.content, static_cast<int32_t>(i));
      continue;
    }
    NormalizedString text(token.content, 0);
    if (normalizer)
      normalizer->normalize(text);
    if (!text.empty())
      normalizedTrie.insert(text.text(), static_cast<int32_t>(i));
  }
  // Byte-level BPE needs no rewriting of the text.
  bool planned = !preTokenizer || preTokenizer->addTo(plan);
  onlySplits = planned && !plan.complete;
  auto *bpe = dynamic_cast<const BpeModel *>(model.get());
  if (bpe && bpe->isByteComplete() && planned && plan.complete)
    byteModel = bpe;
}

std::unique_ptr<Impl::Workspace> Impl::takeWorkspace() const {
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (!idle.empty()) {
      auto workspace = std::move(idle.back());
      idle.pop_back();
      return workspace;
    }
  }
  auto workspace = std::make_unique<Workspace>();
  if (byteModel)
    workspace->byteWords = byteModel->makeCache();
  else
    workspace->words = model->makeCache();
  return workspace;
}

void Impl::giveWorkspace(std::unique_ptr<Workspace> workspace) const {
  std::lock_guard<std::mutex> lock(mutex);
  idle.push_back(std::move(workspace));
}

//===----------------------------------------------------------------------===//
// Encoding
//===----------------------------------------------------------------------===//

namespace sesame {

/// One run over one text.
class TextEncoder {
public:
  TextEncoder(const Impl &impl, std::string_view text, Encoding &out, bool idsOnly)
      : impl(impl), text(text), out(out), idsOnly(idsOnly), workspace(impl.takeWorkspace()) {
    if (idsOnly || unicode::isAscii(text))
      return;
    characterOf.reserve(text.size());
    uint32_t index = 0;
    unicode::forEach(text, [&](char32_t, uint32_t, uint32_t length) {
      characterOf.insert(characterOf.end(), length, index++);
    });
  }
  ~TextEncoder() { impl.giveWorkspace(std::move(workspace)); }

  void run() {
    std::vector<Segment> segments;
    findAdded(text, impl.rawTrie, segments);
    for (const Segment &segment : segments) {
      if (segment.added >= 0)
        emitAdded(segment.added, segment.text, {offsetOf(segment.text), endOf(segment.text)});
      else
        encodeSegment(segment.text);
    }
  }

private:
  /// A part of a text: an added token, or (-1) what lies between two of them.
  struct Segment {
    std::string_view text;
    int32_t added;
  };

  uint32_t offsetOf(std::string_view part) const { return static_cast<uint32_t>(part.data() - text.data()); }
  uint32_t endOf(std::string_view part) const { return offsetOf(part) + static_cast<uint32_t>(part.size()); }

  void findAdded(std::string_view where, const ByteTrie &trie, std::vector<Segment> &segments) const {
    size_t done = 0;
    for (size_t at = 0; !trie.empty() && at < where.size();) {
      if (trie.step(0, static_cast<unsigned char>(where[at])) == 0) {
        ++at;
        continue;
      }
      ByteTrie::Match match = trie.longestPrefix(where.substr(at));
      if (match.value == ByteTrie::none) {
        ++at;
        continue;
      }
      size_t from = at, to = at + match.length;
      at = to;
      const AddedToken &token = impl.added[static_cast<size_t>(match.value)];
      if (token.singleWord && (endsInWord(where.substr(0, from)) || startsWithWord(where.substr(to))))
        continue;
      while (token.lstrip && from > done) {
        size_t last = from - 1;
        while ((static_cast<unsigned char>(where[last]) & 0xC0) == 0x80)
          --last;
        uint32_t length;
        if (!unicode::isWhitespace(unicode::decode(where.data() + last, length)))
          break;
        from = last;
      }
      // A token is looked for where it stands, so one may begin in blanks that the token before it took
      // along; with `lstrip` it leaves them there.
      if (token.lstrip)
        from = std::min(std::max(from, done), to);
      while (token.rstrip && to < where.size()) {
        uint32_t length;
        if (!unicode::isWhitespace(unicode::decode(where.data() + to, length)))
          break;
        to += length;
      }
      if (from > done)
        segments.push_back({where.substr(done, from - done), -1});
      segments.push_back({where.substr(from, to - from), match.value});
      done = to;
    }
    if (done < where.size())
      segments.push_back({where.substr(done), -1});
  }

  static bool startsWithWord(std::string_view part) {
    uint32_t length;
    return !part.empty() && unicode::isWord(unicode::decode(part.data(), length));
  }
  static bool endsInWord(std::string_view part) {
    if (part.empty())
      return false;
    size_t last = part.size() - 1;
    while ((static_cast<unsigned char>(part[last]) & 0xC0) == 0x80)
      --last;
    return startsWithWord(part.substr(last));
  }

  void encodeSegment(std::string_view segment) {
    bool unchanged = !impl.normalizer || (impl.normalizer->keepsAscii() && unicode::isAscii(segment));
    std::vector<Segment> segments;
    if (unchanged) {
      findAdded(segment, impl.normalizedTrie, segments);
      for (const Segment &part : segments) {
        if (part.added >= 0)
          emitAdded(part.added, part.text, {offsetOf(part.text), endOf(part.text)});
        else if (impl.byteModel)
          encodeBytes(part.text);
        else
          encodePiece(NormalizedString(part.text, offsetOf(part.text)));
      }
      return;
    }
    NormalizedString normalized(segment, offsetOf(segment));
    impl.normalizer->normalize(normalized);
    findAdded(normalized.text(), impl.normalizedTrie, segments);
    for (const Segment &part : segments) {
      auto from = static_cast<uint32_t>(part.text.data() - normalized.text().data());
      auto to = from + static_cast<uint32_t>(part.text.size());
      if (part.added >= 0)
        emitAdded(part.added, part.text,
                  {normalized.alignment(from).begin, normalized.alignment(to - 1).end});
      else
        encodePiece(normalized.slice(from, to));
    }
  }

  /// The plain way: every step keeps its alignment with the text.
  void encodePiece(NormalizedString piece) {
    if (impl.onlySplits) {
      cutParts(piece.text());
      for (ByteSpan part : workspace->parts)
        encodeWord(piece, part);
      return;
    }
    std::vector<NormalizedString> pieces;
    pieces.push_back(std::move(piece));
    impl.preTokenizer->split(pieces);
    for (const NormalizedString &part : pieces)
      encodeWord(part, {0, static_cast<uint32_t>(part.text().size())});
  }

  /// Leaves what the splitters of the plan make of `segment` in the workspace.
  void cutParts(std::string_view segment) {
    std::vector<ByteSpan> &parts = workspace->parts, &next = workspace->moreParts;
    parts.assign(1, {0, static_cast<uint32_t>(segment.size())});
    for (const Splitter *splitter : impl.plan.splitters) {
      next.clear();
      for (ByteSpan part : parts) {
        size_t before = next.size();
        splitter->cut(segment.substr(part.begin, part.end - part.begin), next);
        for (size_t i = before; i < next.size(); ++i)
          next[i] = {next[i].begin + part.begin, next[i].end + part.begin};
      }
      parts.swap(next);
    }
  }

  /// Encodes the part `range` of `piece` as one word.
  void encodeWord(const NormalizedString &piece, ByteSpan range) {
    std::string_view text = std::string_view(piece.text()).substr(range.begin, range.end - range.begin);
    std::vector<Token> &tokens = workspace->tokens;
    tokens.clear();
    impl.model->tokenize(text, tokens, workspace->words.get());
    for (const Token &token : tokens) {
      if (idsOnly) {
        out.ids.push_back(token.id);
        continue;
      }
      ByteSpan span = {token.begin, token.end};
      if (token.begin < token.end && token.end <= text.size())
        span = {piece.alignment(range.begin + token.begin).begin,
                piece.alignment(range.begin + token.end - 1).end};
      emit(token.id,
           token.surface ? std::string(text.substr(token.begin, token.end - token.begin))
                         : *impl.model->vocabulary().token(token.id),
           span);
    }
    ++word;
  }

  /// Byte-level BPE on the bytes of the text.
  void encodeBytes(std::string_view segment) {
    uint32_t base = offsetOf(segment), shift = 0;
    std::string prefixed;
    if (impl.plan.addPrefixSpace && segment[0] != ' ') {
      prefixed = " ";
      prefixed += segment;
      segment = prefixed;
      shift = 1;
    }
    cutParts(segment);
    const Vocabulary &vocabulary = impl.model->vocabulary();
    std::vector<Token> &tokens = workspace->tokens;
    for (ByteSpan part : workspace->parts) {
      tokens.clear();
      impl.byteModel->tokenizeBytes(segment.substr(part.begin, part.end - part.begin), tokens,
                                    workspace->byteWords.get());
      for (const Token &token : tokens) {
        if (idsOnly) {
          out.ids.push_back(token.id);
          continue;
        }
        // Bytes of the text; the blank in front shares the place of the first character.
        uint32_t from = part.begin + token.begin, to = part.begin + token.end;
        from = base + (from >= shift ? from - shift : 0);
        to = base + std::max(to - shift, 1u);
        if (!characterOf.empty()) {
          out.offsets.push_back({characterOf[from], characterOf[to - 1] + 1});
        } else {
          out.offsets.push_back({from, to});
        }
        out.ids.push_back(token.id);
        out.tokens.push_back(*vocabulary.token(token.id));
        out.wordIds.push_back(word);
      }
      ++word;
    }
  }

  void emitAdded(int32_t index, std::string_view surface, ByteSpan span) {
    const AddedToken &token = impl.added[static_cast<size_t>(index)];
    if (idsOnly)
      out.ids.push_back(token.id);
    else
      emit(token.id, std::string(surface), span);
    ++word;
  }

  void emit(TokenId id, std::string token, ByteSpan span) {
    out.ids.push_back(id);
    out.tokens.push_back(std::move(token));
    out.offsets.push_back(toCharacters(span));
    out.wordIds.push_back(word);
  }

  /// From bytes to code points; what lies outside the text stays as it is.
  std::pair<uint32_t, uint32_t> toCharacters(ByteSpan span) const {
    auto size = static_cast<uint32_t>(characterOf.size());
    if (span.begin >= size)
      return {span.begin, span.end};
    uint32_t from = characterOf[span.begin];
    if (span.end < size)
      return {from, characterOf[span.end]};
    return {from, (span.end - 1 < size ? characterOf[span.end - 1] : from + 1) + 1};
  }

  const Impl &impl;
  std::string_view text;
  Encoding &out;
  bool idsOnly;
  std::unique_ptr<Impl::Workspace> workspace;
  std::vector<uint32_t> characterOf; ///< Of each byte; empty for an ASCII text.
  int32_t word = 0;
};

} // namespace sesame

void Impl::encodeText(std::string_view text, Encoding &out, bool idsOnly) const {
  if (text.size() >= size_t(1) << 31)
    throw Error(
        message(name, ": a text of ", text.size(), " bytes is too long, expected less than 2147483648"));
  size_t bad = unicode::findInvalidUtf8(text);
  if (bad != std::string_view::npos) {
    static const char digits[] = "0123456789abcdef";
    auto byte = static_cast<unsigned char>(text[bad]);
    throw Error(message(name, ": the text is not UTF-8: byte 0x", digits[byte >> 4], digits[byte & 15],
                        " at offset ", bad));
  }
  if (idsOnly)
    out.ids.reserve(text.size() / 3);
  TextEncoder(*this, text, out, idsOnly).run();
  if (!idsOnly) {
    out.typeIds.assign(out.ids.size(), 0);
    out.specialMask.assign(out.ids.size(), 0);
  }
}

Encoding Impl::postProcess(std::vector<Encoding> encodings, bool addSpecialTokens) const {
  for (size_t i = 0; i < encodings.size(); ++i)
    std::fill(encodings[i].typeIds.begin(), encodings[i].typeIds.end(), static_cast<TokenId>(i));
  if (postProcessor)
    postProcessor->process(encodings, addSpecialTokens);
  if (encodings.empty())
    return Encoding();
  Encoding all = std::move(encodings[0]);
  for (size_t i = 1; i < encodings.size(); ++i)
    all.append(encodings[i]);
  return all;
}

Encoding Tokenizer::encode(std::string_view text, bool addSpecialTokens) const {
  std::vector<Encoding> encodings(1);
  impl->encodeText(text, encodings[0], /*idsOnly=*/false);
  return impl->postProcess(std::move(encodings), addSpecialTokens);
}

Encoding Tokenizer::encode(std::string_view first, std::string_view second, bool addSpecialTokens) const {
  std::vector<Encoding> encodings(2);
  impl->encodeText(first, encodings[0], /*idsOnly=*/false);
  impl->encodeText(second, encodings[1], /*idsOnly=*/false);
  return impl->postProcess(std::move(encodings), addSpecialTokens);
}

std::vector<TokenId> Tokenizer::encodeIds(std::string_view text, bool addSpecialTokens) const {
  std::vector<Encoding> encodings(1);
  impl->encodeText(text, encodings[0], /*idsOnly=*/true);
  return impl->postProcess(std::move(encodings), addSpecialTokens).ids;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

std::string Tokenizer::decode(const std::vector<TokenId> &ids, bool skipSpecial) const {
  std::vector<std::string> tokens;
  tokens.reserve(ids.size());
  for (TokenId id : ids) {
    const std::string *token = impl->token(id);
    if (token && !(skipSpecial && impl->specials.count(*token) != 0))
      tokens.push_back(*token);
  }
  if (tokens.empty())
    return "";
  std::string text;
  if (impl->decoder)
    impl->decoder->decode(tokens);
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0 && !impl->decoder)
      text += ' ';
    text += tokens[i];
  }
  return text;
}

static bool startsWith(const std::string &text, const std::string &prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

static bool endsUnfinished(const std::string &text) {
  static const std::string replacement = "\xEF\xBF\xBD";
  return text.size() >= 3 && text.compare(text.size() - 3, 3, replacement) == 0;
}

std::string IncrementalDecoder::push(TokenId id) {
  // Tokens without text must not become the context of those that follow: they would count as the first of
  // the text.
  if (!tokenizer.idToToken(id) || (skipSpecial && tokenizer.isSpecial(id)))
    return "";
  window.push_back(id);
  std::string text = tokenizer.decode(window, skipSpecial);
  // A character has at most four bytes, so an end that stays unfinished for long is not one. The limit keeps
  // a sequence of stray bytes from being decoded over and over.
  constexpr size_t maxPending = 32;
  bool waits = endsUnfinished(text) && window.size() - emitted < maxPending;
  if (waits || text.size() <= context.size() || !startsWith(text, context))
    return "";
  std::string fresh = text.substr(context.size());
  std::vector<TokenId> pending(window.begin() + static_cast<std::ptrdiff_t>(emitted), window.end());
  std::string pendingText = tokenizer.decode(pending, skipSpecial);
  if (pendingText.empty()) { // Too little context: decoders treat the first token with text in a special way.
    emitted = window.size();
    context = std::move(text);
  } else {
    emitted = pending.size();
    window = std::move(pending);
    context = std::move(pendingText);
  }
  return fresh;
}

std::string IncrementalDecoder::finish() {
  std::string text = tokenizer.decode(window, skipSpecial), rest;
  if (startsWith(text, context)) {
    rest = text.substr(context.size());
  } else {
    // Bytes that never became a character have undone those before them; they stand alone then.
    std::vector<TokenId> pending(window.begin() + static_cast<std::ptrdiff_t>(emitted), window.end());
    rest = tokenizer.decode(pending, skipSpecial);
  }
  window.clear();
  context.clear();
  emitted = 0;
  return rest;
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

const std::string *Impl::token(TokenId id) const {
  auto found = addedById.find(id);
  return found != addedById.end() ? &added[found->second].content : model->vocabulary().token(id);
}

TokenId Impl::find(std::string_view token) const {
  auto found = addedIds.find(std::string(token));
  return found != addedIds.end() ? found->second : model->vocabulary().find(token);
}

std::optional<TokenId> Tokenizer::tokenToId(std::string_view token) const {
  TokenId id = impl->find(token);
  return id == noToken ? std::nullopt : std::optional<TokenId>(id);
}

std::optional<std::string> Tokenizer::idToToken(TokenId id) const {
  const std::string *token = impl->token(id);
  return token ? std::optional<std::string>(*token) : std::nullopt;
}

bool Tokenizer::isSpecial(TokenId id) const {
  const std::string *token = impl->token(id);
  return token && impl->specials.count(*token) != 0;
}

size_t Tokenizer::vocabSize() const {
  size_t size = impl->model->vocabulary().size();
  for (const AddedToken &token : impl->added)
    size += impl->model->vocabulary().find(token.content) == noToken;
  return size;
}

std::optional<TokenId> Tokenizer::roleId(const std::string &role) const {
  auto found = impl->roles.find(role);
  return found == impl->roles.end() ? std::nullopt : tokenToId(found->second);
}

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Tokenizer::Tokenizer(Tokenizer &&) noexcept = default;
Tokenizer &Tokenizer::operator=(Tokenizer &&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer Tokenizer::fromJson(std::string_view document, const std::string &name) {
  return Tokenizer(TokenizerBuilder::fromDocument(parseJson(name, document), name));
}

Tokenizer Tokenizer::fromFile(const std::string &path) { return fromJson(readTextFile(path), path); }
