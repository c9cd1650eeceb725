//===- ManifestTest.cpp ---------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestBundle.h"
#include "support/Error.h"

#include <gtest/gtest.h>

using namespace sesame;
using nlohmann::json;

namespace {

json counterJson() {
  Manifest manifest = test::counterManifest();
  manifest.weights.dataSizeInBytes = 2892;
  manifest.weights.checksum = "0123456789abcdef";
  return json::parse(serializeManifest(manifest));
}

std::string complaint(const std::string &text) {
  try {
    parseManifest("m", text);
    return "";
  } catch (const Error &error) {
    return error.what();
  }
}

/// What the parser says if the value at `pointer` is replaced by `value`.
std::string complaintWith(const char *pointer, const json &value) {
  json document = counterJson();
  document[json::json_pointer(pointer)] = value;
  return complaint(document.dump());
}

} // namespace

TEST(Manifest, DerivesSymbols) {
  json document = counterJson();
  document["/entries/0/derived/P"_json_pointer] = {
      {"terms", {"S"}}, {"plus", 1}, {"divide", 2}, {"at_least", 2}};
  document["/entries/0/symbols"_json_pointer].push_back("P");
  Manifest manifest = parseManifest("m", document.dump());
  EXPECT_EQ(json::parse(serializeManifest(manifest)), document);
  ASSERT_EQ(manifest.entries[0].derived.size(), 1u);
  EXPECT_EQ(manifest.entries[0].derived[0].divisor, 2);
  EXPECT_EQ(manifest.entries[0].derived[0].atLeast, 2);

  document["/entries/0/derived/P/divide"_json_pointer] = 0;
  EXPECT_EQ(complaint(document.dump()),
            "m: entries[0].derived.P.divide: expected a positive number, found 0");
}

TEST(Manifest, ChecksPaddingMasks) {
  json document = {{"name", "forward"}, {"symbols", {"B", "S"}}};
  document["inputs"] = {{{"name", "mask"}, {"dtype", "i64"}, {"shape", {"B", "S"}}, {"padding_mask", true}},
                        {{"name", "rows"}, {"dtype", "i64"}, {"shape", {"B"}}}};
  document["outputs"] = {{{"name", "h"}, {"dtype", "f32"}, {"shape", {"B", "S", 4}}}};
  auto complaintAbout = [](const json &entry) {
    json whole = counterJson();
    whole["entries"] = {entry};
    return complaint(whole.dump());
  };
  EXPECT_EQ(complaintAbout(document), "");
  auto complaintWithShape = [&](const char *pointer, const json &shape) {
    json changed = document;
    changed[json::json_pointer(pointer)] = shape;
    return complaintAbout(changed);
  };
  EXPECT_EQ(complaintWithShape("/inputs/0/dtype", "i32"),
            "m: entries[0].inputs[0].padding_mask: expected an i64 input with symbols for rows and "
            "positions, found i32[B, S]");
  EXPECT_EQ(complaintWithShape("/outputs/0/shape", {"S", "B"}),
            "m: entries[0].outputs: 'h' f32[S, B] does not go with the padding mask 'mask' i64[B, S]");
  EXPECT_EQ(complaintWithShape("/inputs/1/shape", {"B", 4, "S"}),
            "m: entries[0].inputs: 'rows' i64[B, 4, S] does not go with the padding mask 'mask' i64[B, S]");
  EXPECT_EQ(complaintWithShape("/inputs/1/state", true),
            "m: entries[0].inputs: an entry with the padding mask 'mask' has no state 'rows'");
  EXPECT_EQ(complaintWithShape("/outputs/0/padding_mask", true),
            "m: entries[0].outputs[0].padding_mask: expected an i64 input with symbols for rows and "
            "positions, found f32[B, S, 4]");
}

TEST(Manifest, SurvivesWritingAndReading) {
  json document = counterJson();
  Manifest manifest = parseManifest("m", document.dump());
  EXPECT_EQ(json::parse(serializeManifest(manifest)), document);
  ASSERT_EQ(manifest.entries.size(), 2u);
  const EntrySpec &decode = *manifest.findEntry("decode");
  EXPECT_EQ(decode.symbols, (std::vector<std::string>{"B", "S", "T", "C"}));
  EXPECT_EQ(decode.describe(decode.inputs[2]), "f32[3, B, 2, C, 4]");
  EXPECT_TRUE(decode.inputs[2].isState);
  ASSERT_EQ(decode.limits.size(), 2u);
  EXPECT_EQ(decode.limits[1].symbol, 2);
  EXPECT_EQ(decode.limits[1].atMost.symbol, 3);
  ASSERT_TRUE(manifest.entries[0].inputs[0].range);
  EXPECT_EQ(manifest.entries[0].inputs[0].range->second, 97);
  EXPECT_EQ(manifest.entries[0].inputs[2].defaultValue, InputDefault::arange);
  EXPECT_EQ(manifest.weights.dataSizeInBytes, 2892u);
  EXPECT_EQ(manifest.ops[1].flops[0].coefficient, 70);
}

TEST(Manifest, TakesTheExampleOfTheArchitecturePage) {
  EXPECT_EQ(
      complaint(
          R"({"sesame_bundle": 1, "model": {"model_type": "gpt2", "architecture": "GPT2LMHeadModel", "task": "text-generation"},
 "target": {"triple": "x86_64-unknown-linux-gnu", "cpu": "x86-64-v4", "features": ["avx512f", "fma"]},
 "weights": {"file": "weights.safetensors", "data_bytes": 497759232, "checksum": "00"},
 "entries": [{"name": "forward", "symbols": ["B", "S", "C"], "limits": {"S": 1024},
   "inputs": [{"name": "input_ids", "dtype": "i64", "shape": ["B", "S"], "range": [0, 50257]},
              {"name": "attention_mask", "dtype": "i64", "shape": ["B", "S"], "default": "ones"},
              {"name": "key_cache", "dtype": "f32", "shape": [12, "B", 12, "C", 64], "state": true}],
   "outputs": [{"name": "logits", "dtype": "f32", "shape": ["B", "S", 50257]}]}],
 "config": {"vocab_size": 50257}, "generation": {"eos_token_id": 50256}, "provenance": {"sesame": "0.1.0", "source": "gpt2"}})"),
      "");
}

TEST(Manifest, AnotherVersionIsRefusedBeforeAnythingElse) {
  EXPECT_EQ(complaint(R"({"sesame_bundle": 2, "entries": 5})"),
            "m: expected a bundle of version 1, found version 2; compile the model again with this Sesame");
  EXPECT_EQ(complaint("{}"), "m: expected key 'sesame_bundle', found none");
  EXPECT_EQ(complaint("[]"), "m: expected an object, found array");
  EXPECT_EQ(complaint("{\"sesame_bundle\": 1, \"sesame_bundle\": 1}"), "m: key 'sesame_bundle' occurs twice");
  EXPECT_EQ(complaint(std::string(100000, '[')), "m: JSON nested deeper than 64 levels");
  EXPECT_NE(complaint("{\"a\"").find("m: not JSON: "), std::string::npos);
}

TEST(Manifest, EveryFieldIsChecked) {
  EXPECT_EQ(complaintWith("/model/task", 5), "m: model.task: expected text, found number");
  EXPECT_EQ(complaintWith("/target/features", "avx"), "m: target.features: expected an array, found string");
  EXPECT_EQ(complaintWith("/weights/file", "../w"),
            "m: weights.file: expected the name of a file in the bundle, found '../w'");
  EXPECT_EQ(complaintWith("/weights/data_bytes", -1),
            "m: weights.data_bytes: expected a number that is not negative, found -1");
  EXPECT_EQ(complaintWith("/weights/data_bytes", uint64_t(1) << 63),
            "m: weights.data_bytes: expected a number that fits 63 bits, found 9223372036854775808");
  EXPECT_EQ(complaintWith("/entries", json::array()), "m: entries: expected at least one entry");
  EXPECT_EQ(complaintWith("/entries/0/name", "a b"),
            "m: entries[0].name: expected a C identifier, found 'a b'");
  EXPECT_EQ(complaintWith("/entries/1/name", "forward"), "m: entries[1].name: entry 'forward' occurs twice");
  EXPECT_EQ(complaintWith("/entries/0/symbols/1", "B"), "m: entries[0].symbols[1]: symbol 'B' occurs twice");
  EXPECT_EQ(complaintWith("/entries/0/symbols", {"S", "B"}),
            "m: entries[0].symbols: expected [B, S] (the order in inputs, then states, then derived), found "
            "[S, B]");
  EXPECT_EQ(complaintWith("/entries/0/symbols", {"B", "S", "X"}),
            "m: entries[0].symbols: expected [B, S] (the order in inputs, then states, then derived), found "
            "[B, S, X]");
  EXPECT_EQ(complaintWith("/entries/0/outputs/0/shape/2", "X"),
            "m: entries[0].outputs[0].shape[2]: symbol 'X' is not among the entry's symbols");
  EXPECT_EQ(complaintWith("/entries/0/inputs/0/dtype", "f31"),
            "m: entries[0].inputs[0].dtype: unknown type 'f31'");
  EXPECT_EQ(complaintWith("/entries/0/inputs/0/shape/0", -4),
            "m: entries[0].inputs[0].shape[0]: expected a number that is not negative, found -4");
  EXPECT_EQ(complaintWith("/entries/0/inputs/0/shape", {1, 1, 1, 1, 1, 1, 1, "B", "S"}),
            "m: entries[0].inputs[0].shape: expected at most 8 axes, found 9");
  EXPECT_EQ(complaintWith("/entries/0/inputs/1/name", "input_ids"),
            "m: entries[0].inputs[1]: input 'input_ids' occurs twice");
  EXPECT_EQ(complaintWith("/entries/0/inputs/1/default", "twos"),
            "m: entries[0].inputs[1].default: expected 'zeros', 'ones', 'arange' or 'absent', found 'twos'");
  EXPECT_EQ(complaintWith("/entries/0/inputs/0/range", {9, 9}),
            "m: entries[0].inputs[0].range: expected the first number to be below the second");
  EXPECT_EQ(
      complaintWith("/entries/0/outputs/0/state", true),
      "m: entries[0].outputs[0]: an output has no 'state', 'range', 'at_most', 'padding_mask' or 'default'");
  EXPECT_EQ(
      complaintWith("/entries/0/inputs/0/at_most", "S"),
      "m: entries[0].inputs[0].at_most: expected a bound on an i64 or i32 input of one axis alone, found "
      "i64[B, S]");
  EXPECT_EQ(complaintWith("/entries/1/inputs/2/default", "zeros"),
            "m: entries[1].inputs[2]: a state has no 'range', 'at_most', 'padding_mask' or 'default'");
  EXPECT_EQ(complaintWith("/entries/0/limits", {{"Z", 4}}),
            "m: entries[0].limits.Z: symbol 'Z' is not among the entry's symbols");
  EXPECT_EQ(complaintWith("/ops/0/kind", json()), "m: ops[0].kind: expected text, found null");
  EXPECT_EQ(complaintWith("/config", json::array()), "m: config: expected an object, found array");
}

TEST(Manifest, StatesOfOneNameMustAgree) {
  json document = counterJson();
  json other = document["entries"][1];
  other["name"] = "prefill";
  document["entries"].push_back(other);
  EXPECT_EQ(complaint(document.dump()), "");
  document["entries"][2]["inputs"][2]["shape"][4] = 8;
  EXPECT_EQ(complaint(document.dump()),
            "m: entries: state 'cache' is f32[3, B, 2, C, 4] in entry 'decode', but "
            "f32[3, B, 2, C, 8] in entry 'prefill'");
}

TEST(Manifest, AWrongOneIsNotWritten) {
  Manifest manifest = test::counterManifest();
  manifest.entries[0].inputs[0].name = "";
  EXPECT_THROW(serializeManifest(manifest), Error);
  manifest = test::counterManifest();
  manifest.provenance["source"] = "\xff";
  EXPECT_THROW(serializeManifest(manifest), Error);
}
