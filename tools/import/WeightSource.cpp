//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WeightSource.h"

#include "support/Error.h"

#include <optional>
#include <utility>

namespace sesame::importer {

namespace {

/// Names after which a message only counts.
constexpr size_t maxListed = 10;

bool startsWith(const std::string &text, const std::string &prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

bool endsWith(const std::string &text, const std::string &suffix) {
  return text.size() >= suffix.size() &&
         text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

/// The TensorFlow name of a norm's tensor; empty if `name` cannot be one.
std::string oldName(const std::string &name) {
  for (auto [now, then] : {std::pair(".weight", ".gamma"), std::pair(".bias", ".beta")})
    if (endsWith(name, now))
      return name.substr(0, name.size() - std::string(now).size()) + then;
  return "";
}

} // namespace

std::string instantiate(const NamePattern &pattern, int64_t layer) {
  size_t hole = pattern.find("{}");
  return hole == NamePattern::npos
             ? pattern
             : pattern.substr(0, hole) + std::to_string(layer) + pattern.substr(hole + 2);
}

WeightSource::WeightSource(const Checkpoint &checkpoint, std::string prefix, std::string description,
                           std::vector<std::string> otherPrefixes)
    : checkpoint(checkpoint), basePrefix(std::move(prefix)), description(std::move(description)),
      otherPrefixes(std::move(otherPrefixes)), stripsPrefix(true) {
  for (const StoredTensor *tensor : checkpoint.tensors())
    if (startsWith(tensor->name, basePrefix))
      stripsPrefix = false;
}

std::string WeightSource::withoutPrefix(const std::string &name) const {
  return startsWith(name, basePrefix) ? name.substr(basePrefix.size()) : name;
}

std::string WeightSource::spelled(const std::string &name) const {
  return stripsPrefix ? withoutPrefix(name) : name;
}

std::vector<NamePattern> WeightSource::spellings(const NamePattern &name) const {
  std::vector<NamePattern> names = {spelled(name)};
  if (startsWith(name, basePrefix))
    for (const std::string &prefix : otherPrefixes)
      names.push_back(prefix + withoutPrefix(name));
  return names;
}

NamePattern WeightSource::resolve(const std::vector<NamePattern> &alternatives, int64_t firstLayer) const {
  for (const NamePattern &alternative : alternatives)
    for (const NamePattern &pattern : spellings(alternative))
      for (const NamePattern &candidate : {pattern, oldName(pattern)})
        if (!candidate.empty() && checkpoint.find(instantiate(candidate, firstLayer)))
          return candidate;
  return spelled(alternatives.front());
}

const StoredTensor *WeightSource::find(const std::string &name) const {
  return checkpoint.find(resolve({name}, /*firstLayer=*/0));
}

DType WeightSource::claim(const NamePattern &pattern, int64_t firstLayer, int64_t count,
                          const std::vector<int64_t> &shape) {
  std::optional<DType> dtype;
  auto record = [&](const std::string &problem) {
    if (allProblems.insert(problem).second && problems.size() < maxListed)
      problems.push_back(problem);
  };
  for (int64_t layer = firstLayer; layer < firstLayer + count; ++layer) {
    std::string name = instantiate(pattern, layer);
    const StoredTensor *tensor = checkpoint.find(name);
    if (!tensor) {
      record(message(inQuotes(name), " is missing, expected ", toString(dtype.value_or(DType::f32), shape)));
      continue;
    }
    used.insert(name);
    DType found = tensor->dtype;
    bool isFloat = found == DType::f32 || found == DType::f16 || found == DType::bf16 || found == DType::f64;
    if (!isFloat || (dtype && found != *dtype))
      record(message(inQuotes(name), " is ", toString(found), ", expected ",
                     isFloat ? toString(*dtype) : "f32, f16, bf16 or f64"));
    else if (tensor->shape != shape)
      record(message(inQuotes(name), " is ", toString(found, tensor->shape), ", expected ",
                     toString(found, shape)));
    if (isFloat && !dtype)
      dtype = found;
  }
  return dtype.value_or(DType::f32);
}

void WeightSource::ignore(const std::string &name) {
  if (const StoredTensor *tensor = find(name))
    used.insert(tensor->name);
}

void WeightSource::ignoreSuffix(const std::string &suffix) {
  for (const StoredTensor *tensor : checkpoint.tensors())
    if (endsWith(tensor->name, suffix))
      used.insert(tensor->name);
}

void WeightSource::check() const {
  size_t numProblems = allProblems.size();
  if (numProblems == 0)
    return;
  std::string list;
  for (const std::string &problem : problems)
    list += (list.empty() ? "" : ", ") + problem;
  if (numProblems > problems.size())
    list += message(", and ", numProblems - problems.size(), " more");
  throw Error(message(checkpoint.weightsPath(), ": ", numProblems,
                      numProblems == 1 ? " tensor does" : " tensors do", " not fit ", description,
                      " and config.json: ", list));
}

std::string WeightSource::describeUnused() const {
  std::string list;
  size_t numUnused = 0;
  for (const StoredTensor *tensor : checkpoint.tensors()) {
    if (used.count(tensor->name))
      continue;
    if (++numUnused <= maxListed)
      list += (list.empty() ? "" : ", ") + inQuotes(tensor->name);
  }
  if (numUnused > maxListed)
    list += message(", and ", numUnused - maxListed, " more");
  return numUnused == 0 ? ""
                        : message(checkpoint.weightsPath(), ": ", numUnused,
                                  numUnused == 1 ? " tensor is" : " tensors are", " not used by ",
                                  description, ": ", list);
}

} // namespace sesame::importer
