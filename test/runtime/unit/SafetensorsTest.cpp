//===- SafetensorsTest.cpp - The format's rules, one by one ---------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestBundle.h"
#include "io/Checkpoint.h"
#include "support/Error.h"
#include "support/Hash.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

using namespace sesame;

namespace {

std::string image(const std::string &header, size_t dataSize) {
  std::string text(8, '\0');
  uint64_t length = header.size();
  std::memcpy(text.data(), &length, 8);
  return text + header + std::string(dataSize, '\1');
}

SafetensorsHeader parse(const std::string &bytes) {
  return parseSafetensors("f", reinterpret_cast<const std::byte *>(bytes.data()), bytes.size());
}

/// What the reader says to these bytes; "" if it takes them.
std::string complaint(const std::string &bytes) {
  try {
    parse(bytes);
    return "";
  } catch (const Error &error) {
    return error.what();
  }
}
std::string complaint(const std::string &header, size_t dataSize) {
  return complaint(image(header, dataSize));
}

std::string tensor(const std::string &name, const std::string &dtype, const std::string &shape,
                   const std::string &offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
         "}";
}

std::string temporaryDirectory(const std::string &name) {
  std::string path = testing::TempDir() + "sesame-" + std::to_string(::getpid()) + "-" + name;
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

} // namespace

TEST(Safetensors, TensorsComeInTheOrderOfTheirDataWithEveryField) {
  std::string bytes =
      image("{" + tensor("b", "F32", "[2,3]", "[4,28]") + ",\"__metadata__\":{\"k\":\"v\\u00e9\"}," +
                tensor("a", "BF16", "[2]", "[0,4]") + "}   ",
            28);
  SafetensorsHeader header = parse(bytes);
  ASSERT_EQ(header.tensors.size(), 2u);
  EXPECT_EQ(header.tensors[0].name, "a");
  EXPECT_EQ(header.tensors[0].dtype, DType::bf16);
  EXPECT_EQ(header.tensors[1].shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(header.tensors[1].offset, 4u);
  EXPECT_EQ(header.tensors[1].sizeInBytes, 24u);
  EXPECT_EQ(reinterpret_cast<const char *>(header.tensors[1].data), bytes.data() + bytes.size() - 24);
  EXPECT_EQ(header.metadata.at("k"), "v\xc3\xa9");
}

TEST(Safetensors, ScalarsEmptyTensorsAndEmptyFilesAreAllowed) {
  EXPECT_EQ(complaint("{}", 0), "");
  EXPECT_EQ(complaint("{" + tensor("s", "F64", "[]", "[0,8]") + "," + tensor("e", "F32", "[0,4]", "[8,8]") +
                          "," + tensor("d", "I8", "[0]", "[0,0]") + "}",
                      8),
            "");
}

TEST(Safetensors, PackedTypesMustFillWholeBytes) {
  EXPECT_EQ(complaint("{" + tensor("a", "F4", "[6]", "[0,3]") + "}", 3), "");
  EXPECT_EQ(complaint("{" + tensor("a", "F4", "[5]", "[0,3]") + "}", 3),
            "f: tensor 'a': f4E2M1[5] has no size in whole bytes that fits 63 bits");
}

TEST(Safetensors, TheFrameIsChecked) {
  EXPECT_EQ(complaint(""), "f: expected at least the 8 bytes of the header's length, found 0");
  EXPECT_EQ(complaint(std::string(7, '\0')),
            "f: expected at least the 8 bytes of the header's length, found 7");
  EXPECT_EQ(complaint(std::string(8, '\0')), "f: expected the header to start with '{'");
  EXPECT_EQ(complaint(std::string(8, '\xff')),
            "f: header length 18446744073709551615 is above the limit of 100000000 bytes");
  std::string longer = image("{}", 0);
  longer[0] = 3;
  EXPECT_EQ(complaint(longer), "f: header length 3 is past the end of the file of 10 bytes");
  EXPECT_EQ(complaint(" {}", 0), "f: expected the header to start with '{'");
  EXPECT_EQ(complaint("\xef\xbb\xbf{}", 0), "f: expected the header to start with '{'");
  EXPECT_EQ(complaint("[]", 0), "f: expected the header to start with '{'");
  EXPECT_NE(complaint("{", 0).find("f: header is not JSON: "), std::string::npos);
  EXPECT_NE(complaint("{} x", 0).find("f: header is not JSON: "), std::string::npos);
  EXPECT_NE(complaint("{\"\xff\":1}", 0).find("f: header is not JSON: "), std::string::npos);
}

TEST(Safetensors, DuplicateNamesAreRefused) {
  std::string a = tensor("a", "U8", "[1]", "[0,1]");
  EXPECT_EQ(complaint("{" + a + "," + a + "}", 1), "f: tensor 'a' occurs twice");
  EXPECT_EQ(complaint("{\"__metadata__\":{},\"__metadata__\":{}}", 0), "f: key '__metadata__' occurs twice");
  EXPECT_EQ(complaint("{\"__metadata__\":{\"x\":\"1\",\"x\":\"1\"}}", 0),
            "f: key 'x' occurs twice in '__metadata__'");
  EXPECT_EQ(complaint("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1),
            "f: tensor 'a': key 'dtype' occurs twice");
}

TEST(Safetensors, EveryFieldHasItsType) {
  EXPECT_EQ(complaint("{\"a\":7}", 0), "f: expected tensor 'a' to be an object, found 7");
  EXPECT_EQ(complaint("{\"__metadata__\":[]}", 0),
            "f: expected '__metadata__' to be an object, found an array");
  EXPECT_EQ(complaint("{\"__metadata__\":{\"k\":1}}", 0),
            "f: expected text for key 'k' of '__metadata__', found 1");
  EXPECT_EQ(complaint("{\"a\":{\"dtype\":5}}", 0), "f: tensor 'a': expected 'dtype' to be text, found 5");
  EXPECT_EQ(complaint("{\"a\":{\"shape\":{}}}", 0),
            "f: tensor 'a': expected 'shape' to be an array, found an object");
  EXPECT_EQ(complaint("{\"a\":{\"shape\":[[1]]}}", 0),
            "f: tensor 'a': expected whole numbers that are not negative in 'shape', found an array");
  EXPECT_EQ(complaint("{" + tensor("a", "U8", "[-1]", "[0,1]") + "}", 1),
            "f: tensor 'a': expected whole numbers that are not negative in 'shape', found -1");
  EXPECT_EQ(complaint("{" + tensor("a", "U8", "[1]", "[0,1.0]") + "}", 1),
            "f: tensor 'a': expected whole numbers that are not negative in 'data_offsets', found 1.0");
  EXPECT_EQ(complaint("{" + tensor("a", "U8", "[1]", "[0,1,2]") + "}", 1),
            "f: tensor 'a': expected two numbers in 'data_offsets', found more");
  EXPECT_EQ(complaint("{" + tensor("a", "U8", "[1]", "[1]") + "}", 1),
            "f: tensor 'a': expected two numbers in 'data_offsets', found 1");
  EXPECT_EQ(complaint("{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1),
            "f: tensor 'a': expected key 'data_offsets', found none");
  EXPECT_EQ(complaint("{\"a\":{\"color\":1}}", 0), "f: tensor 'a': unknown key 'color'");
  EXPECT_EQ(complaint("{" + tensor("a", "Q7", "[1]", "[0,1]") + "}", 1), "f: tensor 'a': unknown dtype 'Q7'");
}

TEST(Safetensors, ProductsThatOverflowAreRefused) {
  EXPECT_EQ(complaint("{" + tensor("a", "F32", "[4294967296,4294967296]", "[0,0]") + "}", 0),
            "f: tensor 'a': f32[4294967296, 4294967296] has no size in whole bytes that fits 63 bits");
  EXPECT_EQ(complaint("{" + tensor("a", "F32", "[4294967296,4294967296,0]", "[0,0]") + "}", 0),
            "f: tensor 'a': f32[4294967296, 4294967296, 0] has no size in whole bytes that fits 63 bits");
  EXPECT_EQ(complaint("{" + tensor("a", "F64", "[2305843009213693952]", "[0,0]") + "}", 0),
            "f: tensor 'a': f64[2305843009213693952] has no size in whole bytes that fits 63 bits");
  EXPECT_EQ(complaint("{" + tensor("a", "U8", "[9223372036854775808]", "[0,0]") + "}", 0),
            "f: tensor 'a': extent 9223372036854775808 in the shape does not fit 63 bits");
}

TEST(Safetensors, RangesCoverTheDataExactly) {
  std::string a = tensor("a", "U8", "[4]", "[0,4]");
  EXPECT_EQ(complaint("{" + tensor("a", "U8", "[4]", "[4,0]") + "}", 4),
            "f: tensor 'a': data range [4, 0) ends before it starts");
  EXPECT_EQ(complaint("{" + tensor("a", "F32", "[2]", "[0,4]") + "}", 4),
            "f: tensor 'a': f32[2] needs 8 bytes, but its data range [0, 4) has 4");
  EXPECT_EQ(complaint("{" + a + "}", 3),
            "f: tensor 'a': data range [0, 4) ends past the 3 bytes of data in the file");
  EXPECT_EQ(complaint("{" + a + "}", 5),
            "f: expected 4 bytes of data, found 5 (bytes that no tensor covers)");
  EXPECT_EQ(complaint("{}", 1), "f: expected 0 bytes of data, found 1 (bytes that no tensor covers)");
  EXPECT_EQ(complaint("{" + a + "," + tensor("b", "U8", "[1]", "[5,6]") + "}", 6),
            "f: tensor 'b': expected its data to start at byte 4, found 5 (a hole that no tensor covers)");
  EXPECT_EQ(complaint("{" + a + "," + tensor("b", "U8", "[3]", "[3,6]") + "}", 6),
            "f: tensor 'b': its data starts at byte 3 inside that of 'a', which ends at 4");
  EXPECT_EQ(complaint("{" + a + "," + tensor("b", "U8", "[0]", "[2,2]") + "}", 4),
            "f: tensor 'b': its data starts at byte 2 inside that of 'a', which ends at 4");
}

TEST(Safetensors, HostileNamesCannotBreakTheLine) {
  EXPECT_EQ(complaint("{" + tensor("a\\nb\\u001b[2J", "Q7", "[1]", "[0,1]") + "}", 1),
            "f: tensor 'a\\x0ab\\x1b[2J': unknown dtype 'Q7'");
  EXPECT_LT(complaint("{" + tensor(std::string(5000, 'x'), "Q7", "[1]", "[0,1]") + "}", 1).size(), 300u);
}

TEST(Safetensors, DeepNestingCostsNothing) {
  EXPECT_EQ(complaint("{\"a\":" + std::string(1000000, '[') + "}", 0),
            "f: expected tensor 'a' to be an object, found an array");
}

TEST(SafetensorsWriter, WhatIsWrittenIsReadAndAligned) {
  std::string path = temporaryDirectory("writer") + "/w.safetensors";
  SafetensorsWriter writer(path);
  writer.setMetadata("format", "sesame \"1\"\n");
  EXPECT_EQ(writer.add("one", DType::u8, {3}), 0u);
  EXPECT_EQ(writer.add("empty", DType::f32, {0, 5}), 64u);
  EXPECT_EQ(writer.add("two", DType::i64, {9}), 64u);
  EXPECT_EQ(writer.add("three\xc3\xa9", DType::f32, {}), 192u);
  writer.begin();
  std::vector<int64_t> two = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  float three = 1.5f;
  // Pieces that end neither with tensors nor with elements.
  std::string bytes = std::string("abc") + std::string(reinterpret_cast<char *>(two.data()), 72) +
                      std::string(reinterpret_cast<char *>(&three), 4);
  for (size_t i = 0; i < bytes.size(); i += 5)
    writer.write(bytes.data() + i, std::min<size_t>(5, bytes.size() - i));
  writer.finish(/*sync=*/true);

  SafetensorsFile file(path);
  EXPECT_EQ(file.headerText(), writer.headerText());
  EXPECT_EQ(file.dataSizeInBytes(), writer.dataSizeInBytes());
  EXPECT_EQ(file.metadata().at("format"), "sesame \"1\"\n");
  for (const char *name : {"one", "empty", "two", "three\xc3\xa9"}) {
    ASSERT_NE(file.find(name), nullptr) << name;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(file.find(name)->data) % 64, 0u) << name;
  }
  EXPECT_EQ(std::memcmp(file.find("one")->data, "abc", 3), 0);
  EXPECT_EQ(std::memcmp(file.find("two")->data, two.data(), 72), 0);
  EXPECT_EQ(std::memcmp(file.find("three\xc3\xa9")->data, &three, 4), 0);
  EXPECT_EQ(file.find("four"), nullptr);
}

TEST(SafetensorsWriter, MisuseAndFullDisksAreReported) {
  std::string path = temporaryDirectory("misuse") + "/w.safetensors";
  auto complain = [](auto body) -> std::string {
    try {
      body();
      return "";
    } catch (const Error &error) {
      return error.what();
    }
  };
  SafetensorsWriter writer(path);
  writer.add("a", DType::u8, {4});
  EXPECT_EQ(complain([&] { writer.add("a", DType::u8, {4}); }), path + ": tensor 'a' is declared twice");
  EXPECT_EQ(
      complain([&] { writer.add("b", DType::f64, {int64_t(1) << 40, int64_t(1) << 40}); }),
      path + ": tensor 'b': f64[1099511627776, 1099511627776] has no size in whole bytes that fits 63 bits");
  EXPECT_EQ(complain([&] { writer.add("__metadata__", DType::u8, {1}); }),
            path + ": tensor name '__metadata__' is reserved");
  EXPECT_EQ(complain([&] { writer.write("x", 1); }), path + ": data is written before the header");
  writer.begin();
  EXPECT_EQ(complain([&] { writer.add("c", DType::u8, {1}); }),
            path + ": tensor 'c' is declared after the header was written");
  writer.write("xyz", 3);
  EXPECT_EQ(complain([&] { writer.finish(); }), path + ": tensor 'a': expected 4 bytes, got 3");
  EXPECT_EQ(complain([&] { writer.write("zz", 2); }), path + ": 1 bytes more than the declared tensors hold");

  SafetensorsWriter full("/dev/full");
  EXPECT_EQ(complain([&] { full.begin(); }), "/dev/full: cannot write: No space left on device");
  // No disk is this large: the reservation fails before a byte is written.
  SafetensorsWriter huge(path);
  huge.add("a", DType::u8, {int64_t(1) << 59});
  EXPECT_NE(complain([&] { huge.begin(); }).find(": cannot reserve 576460752303423616 bytes: "),
            std::string::npos);
  SafetensorsWriter nowhere(path + "/no/such");
  EXPECT_NE(complain([&] { nowhere.begin(); }).find(": cannot create: "), std::string::npos);
}

namespace {
void writeShard(const std::string &path, const std::vector<std::string> &names) {
  SafetensorsWriter writer(path, /*alignment=*/1); // without padding between the tensors
  for (const std::string &name : names)
    writer.add(name, DType::u8, {1});
  writer.begin();
  for (const std::string &name : names)
    writer.write(name.data(), 1);
  writer.finish();
}

std::string openComplaint(const std::string &directory) {
  try {
    Checkpoint checkpoint(directory);
    return "";
  } catch (const Error &error) {
    std::string text = error.what();
    return text.compare(0, directory.size(), directory) == 0 ? text.substr(directory.size()) : text;
  }
}
} // namespace

TEST(Checkpoint, ShardsAreJoinedAndDisagreementsNamed) {
  std::string directory = temporaryDirectory("shards"), index = directory + "/model.safetensors.index.json";
  writeShard(directory + "/s1", {"b", "d"});
  writeShard(directory + "/s2", {"a", "c"});
  auto write = [&](const std::string &map) { test::writeFile(index, "{\"weight_map\":{" + map + "}}"); };

  write(R"("a":"s2","b":"s1","c":"s2","d":"s1")");
  {
    Checkpoint checkpoint(directory);
    ASSERT_EQ(checkpoint.tensors().size(), 4u);
    EXPECT_EQ(checkpoint.tensors()[3]->name, "d");
    EXPECT_EQ(*reinterpret_cast<const char *>(checkpoint.get("c").data), 'c');
    EXPECT_EQ(checkpoint.find("e"), nullptr);
    try {
      checkpoint.get("e");
      FAIL();
    } catch (const Error &error) {
      EXPECT_EQ(error.what(), index + ": expected tensor 'e', found none of this name");
    }
  }
  const std::string prefix = "/model.safetensors.index.json: ";
  write(R"("a":"s2","b":"s1","c":"s2")");
  EXPECT_EQ(openComplaint(directory), prefix + "tensor 'd' of shard 's1' is not listed");
  write(R"("a":"s2","b":"s1","c":"s1","d":"s1")");
  EXPECT_EQ(openComplaint(directory), prefix + "tensor 'c' is not in its shard 's1'");
  write(R"("a":"s2","b":"s3","c":"s2","d":"s1")");
  EXPECT_EQ(openComplaint(directory), prefix + "shard 's3' is missing");
  for (const char *name : {"../s1", "/etc/passwd", "..", ".", "", "x/s1"}) {
    write(std::string(R"("a":")") + name + "\"");
    EXPECT_EQ(openComplaint(directory),
              prefix + "tensor 'a': expected the name of a file in the same directory, found '" + name + "'");
  }
  write(R"("a":"s2","a":"s2")");
  EXPECT_EQ(openComplaint(directory), prefix + "key 'a' occurs twice");
  write(R"("a":7)");
  EXPECT_EQ(openComplaint(directory), prefix + "expected the shard of tensor 'a' to be text, found number");
  writeShard(directory + "/s3", {"a", "e"});
  write(R"("a":"s2","b":"s1","c":"s2","d":"s1","e":"s3")");
  EXPECT_EQ(openComplaint(directory), prefix + "tensor 'a' is in shard 's3', expected it in 's2' alone");
}

TEST(Checkpoint, WhatIsNoFileIsRefused) {
  std::string directory = temporaryDirectory("nofile");
  EXPECT_EQ(openComplaint(directory), ": expected model.safetensors or model.safetensors.index.json");
  test::writeFile(directory + "/pytorch_model.bin", "");
  EXPECT_EQ(openComplaint(directory), ": expected model.safetensors or model.safetensors.index.json, found "
                                      "pytorch_model.bin (convert it to safetensors)");
  std::filesystem::create_directory(directory + "/model.safetensors");
  EXPECT_EQ(openComplaint(directory), "/model.safetensors: expected a regular file, found a directory");
  std::filesystem::remove(directory + "/model.safetensors");
  ASSERT_EQ(::mkfifo((directory + "/model.safetensors").c_str(), 0600), 0);
  EXPECT_EQ(openComplaint(directory),
            "/model.safetensors: expected a regular file, found a device, pipe or socket");
}

TEST(Hash, GivesThePublishedValues) {
  // The first two from the xxHash documentation, the third (39 bytes, so it takes the 32-byte path) from
  // python-xxhash's tests.
  EXPECT_EQ(xxh64(""), 0xef46db3751d8e999u);
  EXPECT_EQ(xxh64("abc"), 0x44bc2cf5ad770999u);
  EXPECT_EQ(xxh64("Nobody inspects the spammish repetition"), 0xfbcea83c8a378bf1u);
}
