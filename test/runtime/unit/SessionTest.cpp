//===- SessionTest.cpp - Loading and running a model ----------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/Session.h"
#include "TestBundle.h"
#include "core/Profiler.h"
#include "support/CpuFeatures.h"
#include "support/Error.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace sesame;
using nlohmann::json;

namespace {

std::string newBundle() {
  static int number = 0;
  std::string path =
      testing::TempDir() + "sesame-" + std::to_string(::getpid()) + "-bundle" + std::to_string(number++);
  test::writeCounterBundle(path, SESAME_TEST_LIBRARY);
  return path;
}

json readManifestJson(const std::string &bundle) {
  std::ifstream file(bundle + "/manifest.json");
  return json::parse(file);
}

/// What is said, without the bundle's path, which is not the test's to know.
template <typename Body> std::string complaint(const std::string &bundle, Body body) {
  try {
    body();
    return "";
  } catch (const Error &error) {
    std::string text = error.what();
    return text.compare(0, bundle.size(), bundle) == 0 ? text.substr(bundle.size()) : text;
  }
}

std::string openComplaint(const std::string &bundle) {
  return complaint(bundle, [&] { Model::open(bundle); });
}

InputTensor ids(const char *name, const std::vector<int64_t> &shape, const std::vector<int64_t> &values) {
  return {name, DType::i64, shape, values.data()};
}

float expectedLogit(int64_t id, int64_t position, int64_t mask, int64_t c) {
  float sum = 0;
  for (int64_t k = 0; k < 7; ++k)
    sum += (test::tableValue(id * 7 + k) + static_cast<float>(position)) * test::projectionValue(k * 5 + c);
  return static_cast<float>(mask) * sum;
}

class SessionTest : public testing::Test {
protected:
  static void SetUpTestSuite() { bundle = newBundle(); }
  std::string runComplaint(Session &session, const char *entry, const std::vector<InputTensor> &inputs) {
    return complaint(bundle, [&] { session.run(entry, inputs); });
  }
  static std::string bundle;
};
std::string SessionTest::bundle;

} // namespace

TEST(Model, ABundleThatDoesNotFitIsRefusedInOneSentence) {
  std::string bundle = newBundle();
  EXPECT_EQ(openComplaint(bundle), "");
  EXPECT_EQ(openComplaint(bundle + "/none"),
            ": expected a bundle made by 'sesame compile', found no manifest.json");

  json manifest = readManifestJson(bundle);
  auto with = [&](const char *pointer, const json &value) {
    json changed = manifest;
    changed[json::json_pointer(pointer)] = value;
    test::writeFile(bundle + "/manifest.json", changed.dump());
    return openComplaint(bundle);
  };
  EXPECT_EQ(with("/sesame_bundle", 7),
            "/manifest.json: expected a bundle of version 1, found version 7; compile the "
            "model again with this Sesame");
  EXPECT_EQ(with("/target/triple", "riscv64-unknown-linux-gnu"),
            std::string(": compiled for 'riscv64-unknown-linux-gnu', but this machine is ") +
                hostArchitecture() + "; compile the model again with --target");
  EXPECT_EQ(with("/target/features", {"warp-drive"}),
            ": compiled for CPU 'host' with 'warp-drive', a feature that this runtime does not know; update "
            "the runtime "
            "or compile with --target");
  for (const char *feature : {"avx512vp2intersect", "amx-fp16", "sse4a", "sve2"})
    if (cpuFeature(feature) == CpuFeature::absent) {
      EXPECT_EQ(with("/target/features", {feature}),
                std::string(": compiled for CPU 'host' with '") + feature +
                    "', which this CPU lacks; compile the model again with --target");
    }
  EXPECT_EQ(with("/weights/data_bytes", 2893),
            "/weights.safetensors: expected 2893 bytes of data (manifest.json), found 2892");
  std::string right = manifest["weights"]["checksum"];
  EXPECT_EQ(with("/weights/checksum", "feedfeedfeedfeed"),
            "/weights.safetensors: expected a header with checksum feedfeedfeedfeed (manifest.json), found " +
                right + "; the files are not of one bundle");
  EXPECT_EQ(with("/entries/0/name", "backward"),
            "/model.so: expected symbol 'sesame_entry_backward', found none");
  EXPECT_EQ(with("/weights/file", "none.safetensors"),
            "/none.safetensors: cannot open: No such file or directory");

  test::writeFile(bundle + "/manifest.json", manifest.dump());
  std::filesystem::resize_file(bundle + "/weights.safetensors",
                               std::filesystem::file_size(bundle + "/weights.safetensors") - 1);
  EXPECT_NE(openComplaint(bundle).find("/weights.safetensors: tensor 'projection': data range"),
            std::string::npos);
}

TEST(Model, CodeThatCannotBeLoadedIsRefused) {
  std::string bundle = newBundle();
  std::filesystem::remove(bundle + "/model.so");
  EXPECT_EQ(openComplaint(bundle), "/model.so: expected the compiled code, found no such file");
  test::writeFile(bundle + "/model.so", "no ELF file");
  EXPECT_EQ(openComplaint(bundle),
            "/model.so: expected a shared library, found a file that is none or is cut short");
}

TEST(CpuFeatures, KnowsThisMachine) {
  EXPECT_EQ(cpuFeature("warp-drive"), CpuFeature::unknown);
#if defined(__x86_64__)
  EXPECT_EQ(cpuFeature("sse2"), CpuFeature::present);
  // The compiler's own check (which also asks the operating system) must agree.
  EXPECT_EQ(cpuFeature("avx2") == CpuFeature::present, __builtin_cpu_supports("avx2") != 0);
  EXPECT_EQ(cpuFeature("fma") == CpuFeature::present, __builtin_cpu_supports("fma") != 0);
  EXPECT_EQ(cpuFeature("avx512f") == CpuFeature::present, __builtin_cpu_supports("avx512f") != 0);
  EXPECT_EQ(cpuFeature("avx512vnni") == CpuFeature::present, __builtin_cpu_supports("avx512vnni") != 0);
  EXPECT_EQ(cpuFeature("avx512bf16") == CpuFeature::present, __builtin_cpu_supports("avx512bf16") != 0);
  EXPECT_EQ(cpuFeature("popcnt") == CpuFeature::present, __builtin_cpu_supports("popcnt") != 0);
#endif
}

TEST_F(SessionTest, RunsWithEveryInputGivenAndWithDefaults) {
  auto model = Model::open(bundle);
  std::vector<int64_t> idValues = {5, 96, 0, 7, 33, 2}, maskValues = {1, 1, 0, 1, 0, 1},
                       positionValues = {4, 3, 2, 1, 0, 9};
  for (int threads : {1, 2, 3}) {
    Session session(model, {threads});
    auto outputs = session.run("forward", {ids("position_ids", {2, 3}, positionValues),
                                           ids("input_ids", {2, 3}, idValues),
                                           ids("attention_mask", {2, 3}, maskValues)});
    ASSERT_EQ(outputs.size(), 1u);
    EXPECT_EQ(outputs[0].name, "logits");
    EXPECT_EQ(outputs[0].shape, (std::vector<int64_t>{2, 3, 5}));
    auto plain = session.run("forward", {ids("input_ids", {2, 3}, idValues)});
    for (size_t i = 0; i < 6; ++i)
      for (size_t c = 0; c < 5; ++c) {
        EXPECT_EQ(outputs[0].data.as<float>()[i * 5 + c],
                  expectedLogit(idValues[i], positionValues[i], maskValues[i], static_cast<int64_t>(c)));
        EXPECT_EQ(plain[0].data.as<float>()[i * 5 + c],
                  expectedLogit(idValues[i], static_cast<int64_t>(i % 3), 1, static_cast<int64_t>(c)));
      }
    EXPECT_NE(outputs[0].data.as<float>()[0],
              plain[0].data.as<float>()[0]); // the comparison can tell them apart
  }
}

TEST_F(SessionTest, InputsMayLieAnywhere) {
  Session session(Model::open(bundle), {1});
  alignas(8) char memory[3 * 8 + 1];
  std::vector<int64_t> values = {5, 6, 7};
  std::memcpy(memory + 1, values.data(), 24);
  auto outputs = session.run("forward", {{"input_ids", DType::i64, {1, 3}, memory + 1}});
  EXPECT_EQ(outputs[0].data.as<float>()[10], expectedLogit(7, 2, 1, 0));
}

TEST_F(SessionTest, WrongInputsAreNamed) {
  Session session(Model::open(bundle), {1});
  std::vector<int64_t> values(100, 1);
  auto run = [&](const std::vector<InputTensor> &inputs) { return runComplaint(session, "forward", inputs); };
  EXPECT_EQ(runComplaint(session, "backward", {}), ": no entry 'backward'; the model has forward, decode");
  EXPECT_EQ(
      run({}),
      ": entry 'forward': missing input 'input_ids'; it takes input_ids, attention_mask (default ones), "
      "position_ids (default arange)");
  EXPECT_EQ(
      run({ids("input_idz", {1, 2}, values)}),
      ": entry 'forward': unknown input 'input_idz'; it takes input_ids, attention_mask (default ones), "
      "position_ids (default arange)");
  EXPECT_EQ(run({ids("input_ids", {1, 2}, values), ids("input_ids", {1, 2}, values)}),
            ": entry 'forward', input 0 'input_ids': is given twice");
  EXPECT_EQ(run({{"input_ids", DType::f16, {1, 2}, values.data()}}),
            ": entry 'forward', input 0 'input_ids': expected i64[?, ?], got f16[1, 2]");
  EXPECT_EQ(run({ids("input_ids", {2}, values)}),
            ": entry 'forward', input 0 'input_ids': expected i64[?, ?], got i64[2]");
  EXPECT_EQ(run({ids("input_ids", {-1, 2}, values)}),
            ": entry 'forward', input 0 'input_ids': expected i64[?, ?], got i64[?, 2]");
  EXPECT_EQ(run({ids("input_ids", {2, 12}, values), ids("attention_mask", {2, 13}, values)}),
            ": entry 'forward', input 1 'attention_mask': axis 1 (S) is 13, but 'input_ids' has 12");
  EXPECT_EQ(run({ids("input_ids", {1, 0}, values)}), ": entry 'forward': S = 0, expected at least 1");
  EXPECT_EQ(run({ids("input_ids", {1, 25}, values)}), ": entry 'forward': S = 25, expected at most 24");
  EXPECT_EQ(run({{"input_ids", DType::i64, {1, 2}, nullptr}}),
            ": entry 'forward', input 0 'input_ids': has no data");
  EXPECT_EQ(run({ids("input_ids", {int64_t(1) << 40, int64_t(1) << 40}, values)}),
            ": entry 'forward': 'input_ids' i64[B, S] does not fit the address space");
  values[13] = 97;
  EXPECT_EQ(run({ids("input_ids", {2, 10}, values)}),
            ": entry 'forward': input_ids[1, 3] = 97: expected 0 <= id < 97");
  values[13] = -1;
  EXPECT_EQ(run({ids("input_ids", {2, 10}, values)}),
            ": entry 'forward': input_ids[1, 3] = -1: expected 0 <= id < 97");
}

TEST_F(SessionTest, StatesAreKeptBetweenRunsAndChecked) {
  Session session(Model::open(bundle), {2});
  std::vector<int64_t> prompt = {5, 6, 7, 8, 9, 10}, next = {20, 30}, mask = {0, 1, 1, 1, 1, 1, 1, 1};
  auto decode = [&](int64_t length, const std::vector<int64_t> &values, std::vector<int64_t> shape) {
    return runComplaint(session, "decode",
                        {ids("input_ids", {shape[0], length}, values), ids("attention_mask", shape, mask)});
  };
  EXPECT_EQ(decode(3, prompt, {2, 3}),
            ": entry 'decode': state 'cache' f32[3, B, 2, C, 4] has no memory; reset the session first");
  EXPECT_EQ(complaint(bundle, [&] { session.reset(0, 5); }), ": B = 0, expected at least 1");
  EXPECT_EQ(complaint(bundle, [&] { session.reset(int64_t(1) << 40, int64_t(1) << 40); }),
            ": state 'cache' f32[3, 1099511627776, 2, 1099511627776, 4] does not fit the address space");
  session.reset(2, 4);
  EXPECT_EQ(session.state("cache").shape, (std::vector<int64_t>{3, 2, 2, 4, 4}));
  EXPECT_EQ(complaint(bundle, [&] { session.state("value"); }), ": no state 'value'");
  EXPECT_EQ(decode(3, prompt, {1, 3}),
            ": entry 'decode', input 0 'input_ids': axis 0 (B) is 1, but the session's "
            "states were reset for 2");
  EXPECT_EQ(decode(3, prompt, {2, 2}), ": entry 'decode': S = 3, expected at most T = 2");
  EXPECT_EQ(decode(1, prompt, {2, 5}), ": entry 'decode': T = 5, expected at most C = 4");
  std::vector<float> zeros(3 * 2 * 2 * 4 * 4, 0);
  EXPECT_EQ(std::memcmp(session.state("cache").data, zeros.data(), zeros.size() * 4), 0);

  session.run("decode",
              {ids("input_ids", {2, 3}, prompt), ids("attention_mask", {2, 3}, {1, 1, 1, 1, 1, 1})});
  auto outputs = session.run("decode", {ids("input_ids", {2, 1}, next), ids("attention_mask", {2, 4}, mask)});
  for (int64_t layer = 0; layer < 3; ++layer) {
    // Two groups; the first row's first position is masked.
    EXPECT_EQ(outputs[0].data.as<float>()[layer], static_cast<float>(2 * (6 + 7 + 20 + 3 * layer)));
    EXPECT_EQ(outputs[0].data.as<float>()[3 + layer], static_cast<float>(2 * (8 + 9 + 10 + 30 + 4 * layer)));
  }
  session.reset(2, 4);
  EXPECT_EQ(std::memcmp(session.state("cache").data, zeros.data(), zeros.size() * 4), 0);
  session.reset({{"B", 2}}); // C is not known, so the cache goes
  EXPECT_EQ(decode(3, prompt, {2, 3}),
            ": entry 'decode': state 'cache' f32[3, B, 2, C, 4] has no memory; reset the session first");
  EXPECT_EQ(runComplaint(session, "decode", {{"cache", DType::f32, {3, 2, 2, 4, 4}, zeros.data()}}),
            ": entry 'decode', input 2 'cache': is a state of the session, not an input");
}

TEST_F(SessionTest, RowsOfStatesMoveMultiplyAndVanish) {
  for (int64_t mostRows : {0, 6}) { // without and with room from the start
    Session session(Model::open(bundle), {1});
    session.reset(2, 5, mostRows);
    std::vector<int64_t> prompt = {5, 6, 7, 8, 9, 10};
    session.run("decode",
                {ids("input_ids", {2, 3}, prompt), ids("attention_mask", {2, 3}, {1, 1, 1, 1, 1, 1})});
    // cache[layer, row, group, t, k] must be prompt[origin[row]][t] + layer
    auto check = [&](const std::vector<int64_t> &origin) {
      StateView cache = session.state("cache");
      auto rows = static_cast<int64_t>(origin.size());
      ASSERT_EQ(cache.shape, (std::vector<int64_t>{3, rows, 2, 5, 4}));
      const auto *values = static_cast<const float *>(cache.data);
      for (int64_t layer = 0; layer < 3; ++layer)
        for (int64_t row = 0; row < rows; ++row)
          for (int64_t group = 0; group < 2; ++group)
            for (int64_t t = 0; t < 3; ++t)
              for (int64_t k = 0; k < 4; ++k)
                ASSERT_EQ(values[(((layer * rows + row) * 2 + group) * 5 + t) * 4 + k],
                          static_cast<float>(
                              prompt[static_cast<size_t>(origin[static_cast<size_t>(row)] * 3 + t)] + layer))
                    << layer << " " << row << " " << group << " " << t;
    };
    check({0, 1});
    const int32_t swap[] = {1, 0}, triple[] = {0, 0, 0, 1, 1, 1}, mix[] = {3, 1, 3, 0, 4, 2},
                  fewer[] = {4, 0};
    session.gatherStates(swap, 2, 3);
    check({1, 0});
    session.gatherStates(triple, 6, 3);
    check({1, 1, 1, 0, 0, 0});
    session.gatherStates(mix, 6, 3);
    check({0, 1, 0, 1, 0, 1});
    // The entry follows: six rows now.
    std::vector<int64_t> next = {1, 2, 3, 4, 5, 6}, mask(24, 1);
    auto outputs =
        session.run("decode", {ids("input_ids", {6, 1}, next), ids("attention_mask", {6, 4}, mask)});
    EXPECT_EQ(outputs[0].data.as<float>()[3], static_cast<float>(2 * (8 + 9 + 10 + 2)));
    session.gatherStates(fewer, 2, 3);
    check({0, 0});
    const int32_t wrong[] = {0, 2};
    EXPECT_EQ(complaint(bundle, [&] { session.gatherStates(wrong, 2, 3); }),
              ": expected a row from 0 to 1, found 2");
    EXPECT_EQ(complaint(bundle, [&] { session.gatherStates(swap, 2, 6); }),
              ": expected 0 to 5 positions in use, found 6");
  }
}

TEST_F(SessionTest, ABoundEntryRunsFromPointers) {
  Session session(Model::open(bundle), {2});
  session.reset(1, 8);
  BoundEntry step = session.bind("decode");
  int32_t b = step.symbol("B"), s = step.symbol("S"), t = step.symbol("T"), sums = step.output("logits");
  EXPECT_EQ(complaint(bundle, [&] { step.symbol("X"); }), ": entry 'decode': no symbol 'X'");
  EXPECT_EQ(complaint(bundle, [&] { step.input("x"); }), ": entry 'decode': no input 'x'");
  EXPECT_EQ(complaint(bundle, [&] { step.output("x"); }), ": entry 'decode': no output 'x'");
  int64_t token = 4;
  step.setInput(step.input("input_ids"), &token);
  step.setDim(s, 1);
  EXPECT_EQ(complaint(bundle, [&] { step.run(); }), ": entry 'decode': no input says how large T is");
  float expected = 0;
  for (int64_t length = 1; length <= 8; ++length) {
    step.setDim(t, length);
    token = 4 * length;
    step.run();
    expected += static_cast<float>(2 * token);
    EXPECT_EQ(step.outputData<float>(sums)[0], expected);
    EXPECT_EQ(step.outputShape(sums), (std::vector<int64_t>{1, 3}));
  }
  EXPECT_EQ(step.dim(b), 1);
  step.setDim(t, 9);
  EXPECT_EQ(complaint(bundle, [&] { step.run(); }), ": entry 'decode': T = 9, expected at most C = 8");
  step.setDim(b, 2);
  EXPECT_EQ(complaint(bundle, [&] { step.run(); }),
            ": entry 'decode': B = 2, but the session's states were reset for 1");
  session.reset(2, 16);
  int64_t tokens[] = {4, 97};
  step.setInput(step.input("input_ids"), tokens);
  EXPECT_EQ(complaint(bundle, [&] { step.run(); }),
            ": entry 'decode': input_ids[1, 0] = 97: expected 0 <= id < 97");
  step.setInput(step.input("input_ids"), nullptr);
  EXPECT_EQ(complaint(bundle, [&] { step.run(); }), ": entry 'decode': input 0 'input_ids' is missing");
  float out[6];
  tokens[1] = 1;
  step.setInput(step.input("input_ids"), tokens);
  step.setOutput(sums, out);
  step.run();
  EXPECT_EQ(step.outputData<float>(sums), out);
  EXPECT_EQ(out[0], 8);
  EXPECT_EQ(out[3], 2);
}

TEST_F(SessionTest, TheProfileNamesOpsAndCounts) {
  Session session(Model::open(bundle), {1, true});
  ASSERT_NE(session.profiler(), nullptr);
  std::vector<int64_t> values = {5, 6, 7};
  for (int i = 0; i < 3; ++i)
    session.run("forward", {ids("input_ids", {1, 3}, values)});
  std::string table = session.profiler()->table();
  for (const char *text :
       {"embed ", "sesame.embedding", "project ", "sesame.linear", "(outside ops)", "total", "GB/s"})
    EXPECT_NE(table.find(text), std::string::npos) << table;
  json trace = json::parse(session.profiler()->chromeTrace());
  ASSERT_EQ(trace["traceEvents"].size(), 9u);
  EXPECT_EQ(trace["traceEvents"][0]["name"], "embed");
  EXPECT_EQ(trace["traceEvents"][1]["cat"], "sesame.linear");
  EXPECT_EQ(trace["traceEvents"][2]["name"], "forward");
  EXPECT_GE(trace["traceEvents"][2]["dur"].get<double>(), trace["traceEvents"][0]["dur"].get<double>());
  EXPECT_EQ(Session(Model::open(bundle), {1}).profiler(), nullptr);
}
