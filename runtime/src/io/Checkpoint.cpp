//===- Checkpoint.cpp -----------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "io/Checkpoint.h"

#include "support/Error.h"
#include "support/Json.h"

#include <algorithm>

using namespace sesame;
using nlohmann::json;

namespace {
constexpr const char *singleFile = "model.safetensors";
constexpr const char *indexFile = "model.safetensors.index.json";
// What the same weights are called in formats that Sesame does not read, for a message that says what to do.
constexpr const char *otherFormats[] = {"pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5",
                                        "flax_model.msgpack", "consolidated.00.pth"};
} // namespace

Checkpoint::Checkpoint(std::string directory) : directoryPath(std::move(directory)) {
  if (pathExists(joinPath(directoryPath, singleFile))) {
    mainPath = joinPath(directoryPath, singleFile);
    shards.push_back(std::make_unique<SafetensorsFile>(mainPath));
  } else if (pathExists(joinPath(directoryPath, indexFile))) {
    mainPath = joinPath(directoryPath, indexFile);
    openShards();
  } else {
    std::string found;
    for (const char *name : otherFormats)
      if (found.empty() && pathExists(joinPath(directoryPath, name)))
        found = message(", found ", name, " (convert it to safetensors)");
    throw Error(message(directoryPath, ": expected ", singleFile, " or ", indexFile, found));
  }
  for (const auto &shard : shards)
    for (const StoredTensor &tensor : shard->tensors())
      sorted.push_back(&tensor);
  std::sort(sorted.begin(), sorted.end(),
            [](const StoredTensor *a, const StoredTensor *b) { return a->name < b->name; });
}

void Checkpoint::openShards() {
  json index = parseJson(mainPath, readTextFile(mainPath), DuplicateKeys::refuse);
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object())
    throw Error(message(mainPath, ": expected an object with an object 'weight_map'"));
  const json &map = index["weight_map"];

  // Shards in order of name; most have one of "model-00001-of-00003.safetensors".
  std::map<std::string, SafetensorsFile *> byName;
  for (const auto &[tensor, value] : map.items()) {
    if (!value.is_string())
      throw Error(message(mainPath, ": expected the shard of tensor ", inQuotes(tensor),
                          " to be text, found ", value.type_name()));
    const auto &name = value.get_ref<const std::string &>();
    if (!isPlainFileName(name))
      throw Error(message(mainPath, ": tensor ", inQuotes(tensor),
                          ": expected the name of a file in the same directory, found ", inQuotes(name)));
    byName.emplace(name, nullptr);
  }
  for (auto &[name, shard] : byName) {
    std::string path = joinPath(directoryPath, name);
    if (!pathExists(path))
      throw Error(message(mainPath, ": shard ", inQuotes(name), " is missing"));
    shards.push_back(std::make_unique<SafetensorsFile>(path));
    shard = shards.back().get();
  }
  for (const auto &[tensor, value] : map.items()) {
    const auto &name = value.get_ref<const std::string &>();
    if (!byName.at(name)->find(tensor))
      throw Error(message(mainPath, ": tensor ", inQuotes(tensor), " is not in its shard ", inQuotes(name)));
  }
  for (const auto &[name, shard] : byName)
    for (const StoredTensor &tensor : shard->tensors()) {
      auto entry = map.find(tensor.name);
      if (entry == map.end())
        throw Error(message(mainPath, ": tensor ", inQuotes(tensor.name), " of shard ", inQuotes(name),
                            " is not listed"));
      if (entry->get_ref<const std::string &>() != name)
        throw Error(message(mainPath, ": tensor ", inQuotes(tensor.name), " is in shard ", inQuotes(name),
                            ", expected it in ", inQuotes(entry->get_ref<const std::string &>()), " alone"));
    }
}

const StoredTensor *Checkpoint::find(std::string_view name) const {
  auto it =
      std::lower_bound(sorted.begin(), sorted.end(), name,
                       [](const StoredTensor *tensor, std::string_view name) { return tensor->name < name; });
  return it == sorted.end() || (*it)->name != name ? nullptr : *it;
}

const StoredTensor &Checkpoint::get(std::string_view name) const {
  if (const StoredTensor *tensor = find(name))
    return *tensor;
  throw Error(message(mainPath, ": expected tensor ", inQuotes(name), ", found none of this name"));
}
