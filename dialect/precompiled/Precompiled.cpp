//===- Precompiled.cpp - The translation unit that owns the precompiled headers ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Four fifths of the time of a file that uses MLIR went into parsing MLIR's headers. CMake compiles the common
// ones once, for this file, and every library of compiler code takes them over (see sesame_add_mlir_library).
//
//===----------------------------------------------------------------------===//
