//===- Link.h - Links objects to a shared library ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_BUNDLE_LINK_H
#define SESAME_BUNDLE_LINK_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace sesame {

/// The functions of libm that ELF objects need together. Throws Error if they need a symbol that neither one
/// of them has, nor libm, nor every C library (memcpy, memmove, memset).
std::vector<std::string> findMathFunctions(llvm::ArrayRef<llvm::StringRef> objects);

/// Links `objects` to a stripped shared library at `outPath`. `mathObject`, if not empty, defines the
/// functions of libm that they need; the library then names libm.so.6 as needed. Temporary files lie beside
/// `outPath`. Throws Error.
void linkSharedLibrary(llvm::ArrayRef<llvm::StringRef> objects, llvm::StringRef mathObject,
                       const std::string &outPath);

} // namespace sesame

#endif // SESAME_BUNDLE_LINK_H
