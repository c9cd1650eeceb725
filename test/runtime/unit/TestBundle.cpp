//===- TestBundle.cpp -----------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestBundle.h"

#include "io/Safetensors.h"
#include "support/CpuFeatures.h"
#include "support/Error.h"

#include <filesystem>
#include <fstream>

using namespace sesame;

float test::tableValue(int64_t index) { return static_cast<float>((index * 37) % 101 - 50) / 8; }
float test::projectionValue(int64_t index) { return static_cast<float>((index * 11) % 17 - 8) / 8; }

Manifest test::counterManifest() {
  Manifest manifest;
  manifest.model = {"counter", "CounterModel", "text-generation"};
  manifest.target = {std::string(hostArchitecture()) + "-unknown-linux-gnu", "host", {}};
  if (!presentCpuFeatures().empty())
    manifest.target.features.push_back(presentCpuFeatures().front());

  EntrySpec forward;
  forward.name = "forward";
  Dim b = Dim::ofSymbol(forward.addSymbol("B")), s = Dim::ofSymbol(forward.addSymbol("S"));
  forward.limits = {{s.symbol, Dim::constant(24)}};
  forward.inputs = {{"input_ids", DType::i64, {b, s}, std::make_pair<int64_t, int64_t>(0, 97)},
                    {"attention_mask", DType::i64, {b, s}, {}, InputDefault::ones},
                    {"position_ids", DType::i64, {b, s}, {}, InputDefault::arange}};
  forward.outputs = {{"logits", DType::f32, {b, s, Dim::constant(5)}}};
  manifest.entries.push_back(forward);

  EntrySpec decode;
  decode.name = "decode";
  for (const char *symbol : {"B", "S", "T", "C"})
    decode.addSymbol(symbol);
  Dim t = Dim::ofSymbol(2), c = Dim::ofSymbol(3);
  decode.limits = {{1, t}, {2, c}};
  decode.inputs = {{"input_ids", DType::i64, {b, s}, std::make_pair<int64_t, int64_t>(0, 97)},
                   {"attention_mask", DType::i64, {b, t}, {}, InputDefault::ones}};
  TensorSpec cache = {"cache", DType::f32, {Dim::constant(3), b, Dim::constant(2), c, Dim::constant(4)}};
  cache.isState = true;
  decode.inputs.push_back(cache);
  decode.outputs = {{"logits", DType::f32, {b, Dim::constant(3)}}};
  manifest.entries.push_back(decode);

  manifest.ops = {{"embed", "sesame.embedding", {}, {{28, {"B", "S"}}}},
                  {"project", "sesame.linear", {{70, {"B", "S"}}}, {}}};
  manifest.config = {{"vocab_size", 97}};
  manifest.generation = {{"eos_token_id", 3}};
  manifest.provenance = {{"sesame", "test"}};
  return manifest;
}

void test::writeFile(const std::string &path, const std::string &text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

void test::writeCounterBundle(const std::string &directory, const std::string &library) {
  std::filesystem::create_directories(directory);
  // Another copy each time, and never over a library that this process has mapped.
  std::filesystem::remove(directory + "/model.so");
  std::filesystem::copy_file(library, directory + "/model.so");

  Manifest manifest = counterManifest();
  SafetensorsWriter writer(directory + "/weights.safetensors");
  writer.add("table", DType::f32, {97, 7});
  if (writer.add("projection", DType::f32, {7, 5}) != 2752) // counter-model.c relies on it
    throw Error("unexpected place of 'projection'");
  writer.begin();
  for (int64_t i = 0; i < 97 * 7; ++i) {
    float value = tableValue(i);
    writer.write(&value, sizeof(value));
  }
  for (int64_t i = 0; i < 7 * 5; ++i) {
    float value = projectionValue(i);
    writer.write(&value, sizeof(value));
  }
  writer.finish();
  manifest.weights.dataSizeInBytes = writer.dataSizeInBytes();
  manifest.weights.checksum = headerChecksum(writer.headerText());
  writeFile(directory + "/manifest.json", serializeManifest(manifest));
}
