//===- list-checkpoint.cpp - What the reader makes of a directory ---------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "io/Checkpoint.h"
#include "support/Error.h"
#include "support/Hash.h"

#include <iostream>

using namespace sesame;

/// Prints one line a tensor, "NAME TYPE[SHAPE] XXH64 of its bytes", of each directory, or the error.
int main(int argc, char **argv) {
  int status = 0;
  for (int i = 1; i < argc; ++i) {
    try {
      Checkpoint checkpoint(argv[i]);
      for (const StoredTensor *tensor : checkpoint.tensors()) {
        std::string_view bytes(reinterpret_cast<const char *>(tensor->data), tensor->sizeInBytes);
        std::cout << tensor->name << " " << toString(tensor->dtype, tensor->shape) << " " << std::hex
                  << xxh64(bytes) << std::dec << "\n";
      }
      std::cout << "ok: " << argv[i] << ": " << checkpoint.tensors().size() << " tensors\n";
    } catch (const Error &error) {
      std::cout << "error: " << error.what() << "\n";
      status = 1;
    }
  }
  return status;
}
