//===- Model.cpp ----------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "core/Model.h"

#include "io/Manifest.h"
#include "io/Safetensors.h"
#include "support/CpuFeatures.h"
#include "support/Error.h"
#include "support/MappedFile.h"

#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>

using namespace sesame;

namespace {
constexpr const char *defaultCodeFile = "model.so";
constexpr const char *manifestFile = "manifest.json";
} // namespace

std::shared_ptr<const Model> Model::open(const std::string &directory) {
  std::string path = joinPath(directory, manifestFile);
  if (!pathExists(path))
    throw Error(message(directory, ": expected a bundle made by 'sesame compile', found no ", manifestFile));
  return open(directory, readManifest(path), defaultCodeFile);
}

std::shared_ptr<const Model> Model::open(const std::string &directory, Manifest manifest,
                                         const std::string &codeFile) {
  return std::shared_ptr<const Model>(new Model(directory, std::move(manifest), codeFile));
}

Model::Model(const std::string &directory, Manifest manifest, const std::string &codeFile)
    : directoryPath(directory), contents(std::make_unique<const Manifest>(std::move(manifest))) {
  checkTarget();
  openWeights();
  try {
    openCode(codeFile);
  } catch (...) {
    if (library)
      ::dlclose(library);
    throw;
  }
}

Model::~Model() {
  if (library)
    ::dlclose(library);
}

const std::vector<EntrySpec> &Model::entries() const { return contents->entries; }

bool Model::hasEntry(std::string_view name) const { return contents->findEntry(name) != nullptr; }

size_t Model::entryIndex(std::string_view name) const {
  if (const EntrySpec *entry = contents->findEntry(name))
    return static_cast<size_t>(entry - entries().data());
  std::string known;
  for (const EntrySpec &entry : entries())
    known += (known.empty() ? "" : ", ") + entry.name;
  throw Error(message(directoryPath, ": no entry ", inQuotes(name), "; the model has ", known));
}

const void *Model::weightsData() const { return weightsFile->data(); }

void Model::checkTarget() const {
  const Manifest::Target &target = contents->target;
  std::string architecture = target.triple.substr(0, target.triple.find('-'));
  if (architecture != hostArchitecture())
    throw Error(message(directoryPath, ": compiled for ", inQuotes(target.triple), ", but this machine is ",
                        hostArchitecture(), "; compile the model again with --target"));
  for (const std::string &feature : target.features)
    switch (cpuFeature(feature)) {
    case CpuFeature::present:
      break;
    case CpuFeature::absent:
      throw Error(message(directoryPath, ": compiled for CPU ", inQuotes(target.cpu), " with ",
                          inQuotes(feature),
                          ", which this CPU lacks; compile the model again with --target"));
    case CpuFeature::unknown:
      throw Error(message(
          directoryPath, ": compiled for CPU ", inQuotes(target.cpu), " with ", inQuotes(feature),
          ", a feature that this runtime does not know; update the runtime or compile with --target"));
    }
}

void Model::openWeights() {
  const Manifest::Weights &expected = contents->weights;
  std::string path = joinPath(directoryPath, expected.file);
  weightsFile = std::make_unique<const SafetensorsFile>(path);
  if (weightsFile->dataSizeInBytes() != expected.dataSizeInBytes)
    throw Error(message(path, ": expected ", expected.dataSizeInBytes, " bytes of data (", manifestFile,
                        "), found ", weightsFile->dataSizeInBytes()));
  if (std::string found = headerChecksum(weightsFile->headerText()); found != expected.checksum)
    throw Error(message(path, ": expected a header with checksum ", expected.checksum, " (", manifestFile,
                        "), found ", found, "; the files are not of one bundle"));
  // Compiled code loads aligned vectors from it; the mapping starts a page, so this is about the header's
  // length.
  if (reinterpret_cast<uintptr_t>(weightsFile->data()) % 64 != 0 && weightsFile->dataSizeInBytes() != 0)
    throw Error(message(path, ": expected the data to start at a multiple of 64 bytes"));
  weightsFile->mapping().willNeed(0, weightsFile->mapping().size());
}

/// Throws Error if an ELF file is shorter than its headers say: the loader would map it and a read behind its
/// end would kill the process.
static void checkCodeIsWhole(const std::string &path) {
  const MappedFile file(path);
  ElfW(Ehdr) header;
  bool isWhole = file.size() >= sizeof header;
  if (isWhole) {
    std::memcpy(&header, file.data(), sizeof header);
    isWhole = std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_shoff <= file.size() &&
              uint64_t(header.e_shnum) * header.e_shentsize <= file.size() - header.e_shoff &&
              header.e_phoff <= file.size() && header.e_phentsize == sizeof(ElfW(Phdr)) &&
              uint64_t(header.e_phnum) * header.e_phentsize <= file.size() - header.e_phoff;
  }
  for (size_t i = 0; isWhole && i < header.e_phnum; ++i) {
    ElfW(Phdr) segment;
    std::memcpy(&segment,
                static_cast<const char *>(static_cast<const void *>(file.data())) + header.e_phoff +
                    i * sizeof segment,
                sizeof segment);
    isWhole = segment.p_offset <= file.size() && segment.p_filesz <= file.size() - segment.p_offset;
  }
  if (!isWhole)
    throw Error(message(path, ": expected a shared library, found a file that is none or is cut short"));
}

void Model::openCode(const std::string &codeFile) {
  std::string path = joinPath(directoryPath, codeFile); // has a '/', so dlopen searches nowhere
  if (!pathExists(path))
    throw Error(message(path, ": expected the compiled code, found no such file"));
  checkCodeIsWhole(path);
  library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *reason = ::dlerror();
    throw Error(message(path, ": cannot load: ", reason ? reason : "unknown reason"));
  }
  auto *abi = static_cast<const int64_t *>(::dlsym(library, "sesame_abi_version"));
  if (!abi)
    throw Error(message(path, ": expected symbol 'sesame_abi_version', found none"));
  if (*abi != SESAME_ABI_VERSION)
    throw Error(message(path, ": expected code of interface version ", SESAME_ABI_VERSION, ", found version ",
                        *abi, "; compile the model again with this Sesame"));
  auto find = [&](const std::string &symbol) {
    void *address = ::dlsym(library, symbol.c_str());
    if (!address)
      throw Error(message(path, ": expected symbol '", symbol, "', found none"));
    return address;
  };
  for (const EntrySpec &entry : entries()) {
    std::string symbol = "sesame_entry_" + entry.name;
    EntryCode code;
    code.run = reinterpret_cast<SesameEntryFunction>(find(symbol));
    code.workspace = reinterpret_cast<SesameWorkspaceFunction>(find(symbol + "_workspace"));
    codes.push_back(code);
  }
}
