//===- CpuFeatures.h - What the CPU can do ----------------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_SUPPORT_CPUFEATURES_H
#define SESAME_SUPPORT_CPUFEATURES_H

#include <string>
#include <string_view>
#include <vector>

namespace sesame {

enum class CpuFeature { present, absent, unknown };

/// Whether this CPU, and the operating system's handling of its registers, has the feature of LLVM's name
/// ("avx512f", "fma", "sse4.1"; "neon", "dotprod" on aarch64). `unknown`: no feature that this runtime has
/// heard of.
CpuFeature cpuFeature(std::string_view name);

/// All that are present, in a fixed order; for `--target` of this machine and for messages.
std::vector<std::string> presentCpuFeatures();

/// "x86_64", "aarch64": the first part of the triples that run here.
const char *hostArchitecture();

} // namespace sesame

#endif // SESAME_SUPPORT_CPUFEATURES_H
