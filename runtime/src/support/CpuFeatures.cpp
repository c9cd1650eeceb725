//===- CpuFeatures.cpp ----------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "support/CpuFeatures.h"

#include <cstdint>
#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

using namespace sesame;

#if defined(__x86_64__)
namespace {

/// Where CPUID reports a feature (Intel SDM vol. 2A, CPUID; AMD APM vol. 3, appendix E), and which part of
/// the register state the operating system must save for it (XCR0, Intel SDM vol. 1, 13.3).
enum Leaf { l1c, l1d, l7b, l7c, l7d, l71a, l71d, ext1c, ext1d, xsave1a, numLeaves };
enum State : uint64_t { none = 0, ymm = 0x6, zmm = 0xe6, amx = 0x60000 };
struct Row {
  const char *name;
  Leaf leaf;
  int bit;
  State state;
};
constexpr Row rows[] = {
    {"x87", l1d, 0, none},
    {"cx8", l1d, 8, none},
    {"cmov", l1d, 15, none},
    {"mmx", l1d, 23, none},
    {"fxsr", l1d, 24, none},
    {"sse", l1d, 25, none},
    {"sse2", l1d, 26, none},
    {"64bit", ext1d, 29, none},
    {"sse3", l1c, 0, none},
    {"pclmul", l1c, 1, none},
    {"ssse3", l1c, 9, none},
    {"cx16", l1c, 13, none},
    {"sse4.1", l1c, 19, none},
    {"sse4.2", l1c, 20, none},
    {"crc32", l1c, 20, none},
    {"movbe", l1c, 22, none},
    {"popcnt", l1c, 23, none},
    {"aes", l1c, 25, none},
    {"xsave", l1c, 27, none},
    {"rdrnd", l1c, 30, none},
    {"sahf", ext1c, 0, none},
    {"lzcnt", ext1c, 5, none},
    {"prfchw", ext1c, 8, none},
    {"sse4a", ext1c, 6, none},
    {"bmi", l7b, 3, none},
    {"bmi2", l7b, 8, none},
    {"adx", l7b, 19, none},
    {"rdseed", l7b, 18, none},
    {"clflushopt", l7b, 23, none},
    {"clwb", l7b, 24, none},
    {"sha", l7b, 29, none},
    {"fsgsbase", l7b, 0, none},
    {"invpcid", l7b, 10, none},
    {"xsaveopt", xsave1a, 0, none},
    {"xsavec", xsave1a, 1, none},
    {"xsaves", xsave1a, 3, none},
    {"avx", l1c, 28, ymm},
    {"f16c", l1c, 29, ymm},
    {"fma", l1c, 12, ymm},
    {"avx2", l7b, 5, ymm},
    {"vaes", l7c, 9, ymm},
    {"vpclmulqdq", l7c, 10, ymm},
    {"gfni", l7c, 8, none},
    {"avxvnni", l71a, 4, ymm},
    {"avxifma", l71a, 23, ymm},
    {"avxvnniint8", l71d, 4, ymm},
    {"avxneconvert", l71d, 5, ymm},
    {"avxvnniint16", l71d, 10, ymm},
    {"avx512f", l7b, 16, zmm},
    {"avx512dq", l7b, 17, zmm},
    {"avx512ifma", l7b, 21, zmm},
    {"avx512cd", l7b, 28, zmm},
    {"avx512bw", l7b, 30, zmm},
    {"avx512vl", l7b, 31, zmm},
    {"avx512vbmi", l7c, 1, zmm},
    {"avx512vbmi2", l7c, 6, zmm},
    {"avx512vnni", l7c, 11, zmm},
    {"avx512bitalg", l7c, 12, zmm},
    {"avx512vpopcntdq", l7c, 14, zmm},
    {"avx512vp2intersect", l7d, 8, zmm},
    {"avx512fp16", l7d, 23, zmm},
    {"avx512bf16", l71a, 5, zmm},
    {"amx-bf16", l7d, 22, amx},
    {"amx-tile", l7d, 24, amx},
    {"amx-int8", l7d, 25, amx},
    {"amx-fp16", l71a, 21, amx},
};

struct CpuId {
  uint32_t leaves[numLeaves] = {};
  uint64_t savedState = 0;

  CpuId() {
    unsigned a, b, c, d;
    if (__get_cpuid(1, &a, &b, &c, &d)) {
      leaves[l1c] = c;
      leaves[l1d] = d;
      if (c & (1u << 27)) { // OSXSAVE: XGETBV may be used
        uint32_t low, high;
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        savedState = static_cast<uint64_t>(high) << 32 | low;
      }
    }
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
      leaves[l7b] = b;
      leaves[l7c] = c;
      leaves[l7d] = d;
      if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) {
        leaves[l71a] = a;
        leaves[l71d] = d;
      }
    }
    if (__get_cpuid_count(13, 1, &a, &b, &c, &d))
      leaves[xsave1a] = a;
    if (__get_cpuid(0x80000001, &a, &b, &c, &d)) {
      leaves[ext1c] = c;
      leaves[ext1d] = d;
    }
  }
};

CpuFeature check(const Row &row) {
  static const CpuId cpu;
  return (cpu.leaves[row.leaf] >> row.bit & 1) && (cpu.savedState & row.state) == row.state
             ? CpuFeature::present
             : CpuFeature::absent;
}
} // namespace

const char *sesame::hostArchitecture() { return "x86_64"; }

#elif defined(__aarch64__)
namespace {
struct Row {
  const char *name;
  bool second; // in AT_HWCAP2
  unsigned long mask;
};
constexpr Row rows[] = {
    {"fp-armv8", false, HWCAP_FP},     {"neon", false, HWCAP_ASIMD},  {"fullfp16", false, HWCAP_ASIMDHP},
    {"dotprod", false, HWCAP_ASIMDDP}, {"lse", false, HWCAP_ATOMICS}, {"rdm", false, HWCAP_ASIMDRDM},
    {"crc", false, HWCAP_CRC32},       {"sve", false, HWCAP_SVE},     {"fp16fml", false, HWCAP_ASIMDFHM},
    {"sve2", true, HWCAP2_SVE2},       {"bf16", true, HWCAP2_BF16},   {"i8mm", true, HWCAP2_I8MM},
};
CpuFeature check(const Row &row) {
  return getauxval(row.second ? AT_HWCAP2 : AT_HWCAP) & row.mask ? CpuFeature::present : CpuFeature::absent;
}
} // namespace

const char *sesame::hostArchitecture() { return "aarch64"; }
#else
#error "Sesame's runtime knows x86-64 and aarch64"
#endif

CpuFeature sesame::cpuFeature(std::string_view name) {
  for (const Row &row : rows)
    if (name == row.name)
      return check(row);
  return CpuFeature::unknown;
}

std::vector<std::string> sesame::presentCpuFeatures() {
  std::vector<std::string> names;
  for (const Row &row : rows)
    if (check(row) == CpuFeature::present)
      names.push_back(row.name);
  return names;
}
