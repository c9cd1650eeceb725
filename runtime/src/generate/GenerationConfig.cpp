//===- GenerationConfig.cpp - Reading generation settings -----------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "generate/GenerationConfig.h"
#include "support/Error.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

using namespace sesame;
using nlohmann::json;

namespace {

/// Where a value came from and what should be there, for error messages.
struct Place {
  std::string_view origin;
  std::string_view field;
  std::string_view expected;
};

[[noreturn]] void fail(const Place &place, const json &found) {
  std::string text = found.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > 60)
    text = text.substr(0, 57) + "...";
  throw Error(
      message(place.origin, ": field '", place.field, "': expected ", place.expected, ", found ", text));
}

bool readBool(const json &value, const Place &place) {
  if (!value.is_boolean())
    fail(place, value);
  return value.get<bool>();
}

/// An integer in [low, 2^53]: larger ones are nonsense for every field and would invite overflow.
template <int64_t low> int64_t readInteger(const json &value, const Place &place) {
  constexpr int64_t high = int64_t(1) << 53;
  if (value.is_number_unsigned()) {
    uint64_t number = value.get<uint64_t>();
    if (number <= uint64_t(high) && int64_t(number) >= low)
      return int64_t(number);
  } else if (value.is_number_integer()) {
    int64_t number = value.get<int64_t>();
    if (number >= low && number <= high)
      return number;
  } else if (value.is_number_float()) {
    double number = value.get<double>();
    if (number == std::floor(number) && number >= double(low) && number <= double(high))
      return int64_t(number);
  }
  fail(place, value);
}

bool any(double) { return true; }
bool positive(double x) { return x > 0; }
bool unitInterval(double x) { return x >= 0 && x <= 1; }
bool positiveUnitInterval(double x) { return x > 0 && x <= 1; }
bool belowOne(double x) { return x >= 0 && x < 1; }

/// A finite number for which `accept` holds.
template <bool (*accept)(double)> double readNumber(const json &value, const Place &place) {
  if (value.is_number()) {
    double number = value.get<double>();
    if (std::isfinite(number) && accept(number))
      return number;
  }
  fail(place, value);
}

/// -1 stands for "none" in some old configurations: transformers then finds no such token in the vocabulary.
std::optional<int64_t> readTokenId(const json &value, const Place &place) {
  int64_t id = readInteger<-1>(value, place);
  return id < 0 ? std::nullopt : std::optional<int64_t>(id);
}

/// One id or a list of ids.
std::vector<int64_t> readTokenIds(const json &value, const Place &place) {
  std::vector<int64_t> ids;
  if (value.is_array())
    for (const json &element : value)
      ids.push_back(readInteger<0>(element, place));
  else if (std::optional<int64_t> id = readTokenId(value, place))
    ids.push_back(*id);
  return ids;
}

EarlyStopping readEarlyStopping(const json &value, const Place &place) {
  if (value.is_boolean())
    return value.get<bool>() ? EarlyStopping::Yes : EarlyStopping::No;
  if (value.is_string() && value.get_ref<const std::string &>() == "never")
    return EarlyStopping::Never;
  fail(place, value);
}

std::vector<std::string> readStrings(const json &value, const Place &place) {
  std::vector<std::string> strings;
  for (const json &element : value.is_array() ? value : json::array({value})) {
    if (!element.is_string() || element.get_ref<const std::string &>().empty())
      fail(place, value);
    strings.push_back(element.get<std::string>());
  }
  return strings;
}

std::vector<std::vector<int64_t>> readBadWords(const json &value, const Place &place) {
  if (!value.is_array())
    fail(place, value);
  std::vector<std::vector<int64_t>> words;
  for (const json &element : value) {
    if (!element.is_array() || element.empty())
      fail(place, value);
    words.push_back(readTokenIds(element, place));
  }
  return words;
}

std::vector<SequenceBias> readSequenceBias(const json &value, const Place &place) {
  if (!value.is_array())
    fail(place, value);
  std::vector<SequenceBias> biases;
  for (const json &element : value) {
    if (!element.is_array() || element.size() != 2 || !element[0].is_array() || element[0].empty())
      fail(place, value);
    biases.push_back({readTokenIds(element[0], place), float(readNumber<any>(element[1], place))});
  }
  return biases;
}

std::pair<int64_t, double> readDecay(const json &value, const Place &place) {
  if (!value.is_array() || value.size() != 2)
    fail(place, value);
  return {readInteger<0>(value[0], place), readNumber<positive>(value[1], place)};
}

/// One field: its JSON name, its type in words, and how to store a value (never null) and the default.
struct Field {
  std::string_view name;
  std::string_view expected;
  void (*store)(GenerationConfig &, const json &, const Place &);
  void (*clear)(GenerationConfig &);
};

/// The field `name` that lives in `member` and is read by `read`.
template <auto member, auto read> constexpr Field field(std::string_view name, std::string_view expected) {
  return {name, expected,
          [](GenerationConfig &config, const json &value, const Place &place) {
            config.*member = read(value, place);
          },
          [](GenerationConfig &config) { config.*member = GenerationConfig().*member; }};
}

template <auto member> constexpr Field boolean(std::string_view name) {
  return field<member, readBool>(name, "true or false");
}
template <auto member> constexpr Field token(std::string_view name) {
  return field<member, readTokenId>(name, "a token id (an integer >= 0)");
}
template <auto member> constexpr Field tokens(std::string_view name) {
  return field<member, readTokenIds>(name, "a token id or a list of token ids (integers >= 0)");
}

using C = GenerationConfig;
const Field fieldTable[] = {
    field<&C::maxNewTokens, readInteger<1>>("max_new_tokens", "an integer >= 1"),
    field<&C::maxLength, readInteger<1>>("max_length", "an integer >= 1"),
    field<&C::minLength, readInteger<0>>("min_length", "an integer >= 0"),
    field<&C::minNewTokens, readInteger<0>>("min_new_tokens", "an integer >= 0"),
    field<&C::maxTime, readNumber<positive>>("max_time", "a number of seconds > 0"),
    field<&C::stopStrings, readStrings>("stop_strings", "a string or a list of strings, none of them empty"),
    boolean<&C::doSample>("do_sample"),
    field<&C::numBeams, readInteger<1>>("num_beams", "an integer >= 1"),
    field<&C::numReturnSequences, readInteger<1>>("num_return_sequences", "an integer >= 1"),
    field<&C::earlyStopping, readEarlyStopping>("early_stopping", "true, false or \"never\""),
    field<&C::lengthPenalty, readNumber<any>>("length_penalty", "a number"),
    field<&C::gnmtAlpha, readNumber<any>>("gnmt_alpha", "a number"),
    field<&C::repetitionPenalty, readNumber<positive>>("repetition_penalty", "a number > 0"),
    field<&C::encoderRepetitionPenalty, readNumber<positive>>("encoder_repetition_penalty", "a number > 0"),
    field<&C::noRepeatNgramSize, readInteger<0>>("no_repeat_ngram_size", "an integer >= 0"),
    field<&C::encoderNoRepeatNgramSize, readInteger<0>>("encoder_no_repeat_ngram_size", "an integer >= 0"),
    field<&C::badWordsIds, readBadWords>("bad_words_ids", "a list of non-empty lists of token ids"),
    field<&C::sequenceBias, readSequenceBias>("sequence_bias", "a list of [[token ids], number]"),
    token<&C::forcedBosTokenId>("forced_bos_token_id"),
    tokens<&C::forcedEosTokenId>("forced_eos_token_id"),
    tokens<&C::suppressTokens>("suppress_tokens"),
    tokens<&C::beginSuppressTokens>("begin_suppress_tokens"),
    boolean<&C::returnTimestamps>("return_timestamps"),
    token<&C::noTimestampsTokenId>("no_timestamps_token_id"),
    field<&C::maxInitialTimestampIndex, readInteger<0>>("max_initial_timestamp_index", "an integer >= 0"),
    field<&C::exponentialDecayLengthPenalty, readDecay>("exponential_decay_length_penalty",
                                                        "[start >= 0, factor > 0]"),
    boolean<&C::removeInvalidValues>("remove_invalid_values"),
    boolean<&C::renormalizeLogits>("renormalize_logits"),
    field<&C::temperature, readNumber<positive>>("temperature",
                                                 "a number > 0 (for greedy search, do_sample = false)"),
    field<&C::topK, readInteger<0>>("top_k", "an integer >= 0 (0: off)"),
    field<&C::topP, readNumber<positiveUnitInterval>>("top_p", "a number in (0, 1]"),
    field<&C::minP, readNumber<unitInterval>>("min_p", "a number in [0, 1]"),
    field<&C::topH, readNumber<positiveUnitInterval>>("top_h", "a number in (0, 1]"),
    field<&C::typicalP, readNumber<positiveUnitInterval>>("typical_p", "a number in (0, 1]"),
    field<&C::epsilonCutoff, readNumber<belowOne>>("epsilon_cutoff", "a number in [0, 1)"),
    field<&C::etaCutoff, readNumber<belowOne>>("eta_cutoff", "a number in [0, 1)"),
    field<&C::seed, readInteger<0>>("seed", "an integer in [0, 2^53]"),
    token<&C::padTokenId>("pad_token_id"),
    token<&C::bosTokenId>("bos_token_id"),
    tokens<&C::eosTokenId>("eos_token_id"),
    token<&C::decoderStartTokenId>("decoder_start_token_id"),
};

/// Fields that change which ids come out and that Sesame does not implement: an error is better than other
/// ids. Each comes with the test that tells a value that asks for something from one that does not.
struct Unsupported {
  std::string_view name;
  std::string_view strategy;
  bool (*isActive)(const json &);
};

bool isPresent(const json &) { return true; }
bool isTrue(const json &value) { return value.is_boolean() && value.get<bool>(); }
bool isPositiveNumber(const json &value) { return value.is_number() && value.get<double>() > 0; }
bool isNotOne(const json &value) { return value.is_number() && value.get<double>() != 1; }
bool isAboveOne(const json &value) { return value.is_number() && value.get<double>() > 1; }

const Unsupported unsupportedTable[] = {
    {"penalty_alpha", "contrastive search", isPositiveNumber},
    {"dola_layers", "DoLa", isPresent},
    {"constraints", "constrained beam search", isPresent},
    {"force_words_ids", "constrained beam search", isPresent},
    {"guidance_scale", "classifier-free guidance", isNotOne},
    {"num_beam_groups", "group beam search", isAboveOne},
    {"watermarking_config", "watermarking", isPresent},
    {"token_healing", "token healing", isTrue},
};

const Field *findField(std::string_view name) {
  for (const Field &field : fieldTable)
    if (field.name == name)
      return &field;
  return nullptr;
}

} // namespace

void GenerationConfig::update(const json &object, std::string_view origin) {
  if (!object.is_object())
    throw Error(
        message(origin, ": expected a JSON object with generation settings, found ", object.type_name()));
  for (const Unsupported &entry : unsupportedTable) {
    auto it = object.find(std::string(entry.name));
    if (it != object.end() && !it->is_null() && entry.isActive(*it))
      throw Error(message(origin, ": field '", entry.name, "': ", entry.strategy, " is not supported, found ",
                          it->dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 60)));
  }
  for (const Field &field : fieldTable) {
    auto it = object.find(std::string(field.name));
    if (it == object.end())
      continue;
    if (it->is_null())
      field.clear(*this);
    else
      field.store(*this, *it, Place{origin, field.name, field.expected});
  }
}

void GenerationConfig::set(std::string_view name, std::string_view text, std::string_view origin) {
  const Field *field = findField(name);
  if (!field)
    throw Error(message(origin, ": there is no generation setting '", name, "'"));
  if (text == "none" || text == "null") {
    field->clear(*this);
    return;
  }
  json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded() && text.find(',') != std::string_view::npos)
    value = json::parse("[" + std::string(text) + "]", nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded() || field->name == "stop_strings")
    value = std::string(text);
  field->store(*this, value, Place{origin, field->name, field->expected});
}

void GenerationConfig::validate() const {
  if (numReturnSequences > 1 && numBeams == 1 && !doSample)
    throw Error(message(
        "num_return_sequences: expected 1 for greedy search (num_beams = 1, do_sample = false), found ",
        numReturnSequences));
  if (numBeams > 1 && numReturnSequences > numBeams)
    throw Error(message("num_return_sequences: expected at most num_beams = ", numBeams, ", found ",
                        numReturnSequences));
  if (exponentialDecayLengthPenalty && eosTokenId.empty())
    throw Error(
        "exponential_decay_length_penalty: expected an eos_token_id whose score can grow, found none");
  if (returnTimestamps && (!noTimestampsTokenId || eosTokenId.empty()))
    throw Error("return_timestamps: expected a no_timestamps_token_id, behind which times begin, and an "
                "eos_token_id, before which texts end");
  auto allSuppressed = [&](const std::vector<int64_t> &forced) {
    return !forced.empty() && std::all_of(forced.begin(), forced.end(), [&](int64_t id) {
      return std::find(suppressTokens.begin(), suppressTokens.end(), id) != suppressTokens.end();
    });
  };
  if (forcedBosTokenId && allSuppressed({*forcedBosTokenId}))
    throw Error(message("forced_bos_token_id: token ", *forcedBosTokenId, " is in suppress_tokens too"));
  if (allSuppressed(forcedEosTokenId))
    throw Error("forced_eos_token_id: all its tokens are in suppress_tokens too");
}

std::vector<std::pair<std::string_view, std::string_view>> GenerationConfig::fields() {
  std::vector<std::pair<std::string_view, std::string_view>> result;
  for (const Field &field : fieldTable)
    result.emplace_back(field.name, field.expected);
  return result;
}
