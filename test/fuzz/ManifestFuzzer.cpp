//===- ManifestFuzzer.cpp -------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is accepted must be writable, and read again as the same.
//
//===----------------------------------------------------------------------===//

#include "io/Manifest.h"
#include "support/Error.h"

#include <cstdlib>
#include <cstring>

using namespace sesame;

static void require(bool holds) {
  if (!holds)
    std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  std::optional<Manifest> manifest;
  try {
    manifest = parseManifest("m", std::string_view(reinterpret_cast<const char *>(bytes), size));
  } catch (const Error &error) {
    require(std::strpbrk(error.what(), "\n\r\x1b") == nullptr);
  }
  if (!manifest)
    return 0;
  for (const EntrySpec &entry : manifest->entries) {
    for (const SymbolLimit &limit : entry.limits)
      require(static_cast<size_t>(limit.symbol) < entry.symbols.size());
    for (const auto *list : {&entry.inputs, &entry.outputs})
      for (const TensorSpec &tensor : *list)
        for (const Dim &dim : tensor.shape)
          require(dim.isConstant() ? dim.extent >= 0
                                   : static_cast<size_t>(dim.symbol) < entry.symbols.size());
  }
  std::string text = serializeManifest(*manifest);
  require(serializeManifest(parseManifest("again", text)) == text);
  return 0;
}
