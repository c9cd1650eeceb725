//===- Link.cpp - Links objects to a shared library ---===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Link.h"

#include "support/Error.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <deque>
#include <mutex>
#include <set>

LLD_HAS_DRIVER(elf)

using namespace llvm;

namespace sesame {

/// What LLVM and MLIR make calls of: C99's <math.h> for float and double, by the names of the double
/// functions, and glibc's sincos.
static constexpr StringLiteral mathNames[] = {
    "acos",     "acosh", "asin",      "asinh", "atan",   "atan2",  "atanh",     "cbrt", "ceil",
    "copysign", "cos",   "cosh",      "erf",   "erfc",   "exp",    "exp10",     "exp2", "expm1",
    "fabs",     "floor", "fma",       "fmax",  "fmin",   "fmod",   "ldexp",     "log",  "log10",
    "log1p",    "log2",  "nearbyint", "pow",   "rint",   "round",  "roundeven", "sin",  "sincos",
    "sinh",     "sqrt",  "tan",       "tanh",  "tgamma", "lgamma", "trunc"};
static constexpr StringLiteral libcNames[] = {"memcpy", "memmove", "memset"};

/// Adds the global symbols of an object to those that it has and to those that it needs.
static void collectSymbols(StringRef bytes, StringSet<> &defined, std::set<std::string> &needed) {
  Expected<std::unique_ptr<object::ObjectFile>> object =
      object::ObjectFile::createObjectFile(MemoryBufferRef(bytes, "model.o"));
  if (!object)
    throw Error(message("model.o: ", toString(object.takeError())));
  for (const object::SymbolRef &symbol : (*object)->symbols()) {
    Expected<uint32_t> flags = symbol.getFlags();
    Expected<StringRef> name = symbol.getName();
    if (!flags || !name)
      throw Error(message("model.o: ", toString(joinErrors(flags.takeError(), name.takeError()))));
    if (*flags & object::SymbolRef::SF_Undefined)
      needed.insert(name->str());
    else
      defined.insert(*name);
  }
}

std::vector<std::string> findMathFunctions(ArrayRef<StringRef> objects) {
  StringSet<> defined;
  std::set<std::string> needed;
  for (StringRef object : objects)
    collectSymbols(object, defined, needed);
  std::vector<std::string> functions;
  for (const std::string &name : needed) {
    if (name.empty() || name == "_GLOBAL_OFFSET_TABLE_" || defined.contains(name) ||
        is_contained(libcNames, name))
      continue;
    StringRef base = name;
    if (!is_contained(mathNames, base))
      base.consume_back("f");
    if (!is_contained(mathNames, base))
      throw Error(message("code: expected to need only functions of the C and math libraries, but needs '",
                          name, "'"));
    functions.push_back(name);
  }
  return functions;
}

namespace {
/// A file that is gone when the object is.
class TemporaryFile {
public:
  TemporaryFile(std::string path, StringRef bytes) : path(std::move(path)) {
    std::error_code error;
    raw_fd_ostream stream(this->path, error);
    if (!error) {
      stream << bytes;
      stream.flush();
      error = stream.error();
      stream.clear_error();
    }
    if (error) {
      sys::fs::remove(this->path);
      throw Error(message(this->path, ": cannot write: ", error.message()));
    }
  }
  ~TemporaryFile() { sys::fs::remove(path); }
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;

  const std::string path;
};
} // namespace

/// Runs lld in this process.
static void runLinker(std::vector<std::string> arguments) {
  static std::mutex mutex; // lld keeps its state in globals.
  std::lock_guard<std::mutex> lock(mutex);
  std::vector<const char *> pointers = {"ld.lld", "--threads=1"};
  for (const std::string &argument : arguments)
    pointers.push_back(argument.c_str());
  std::string output, errors;
  raw_string_ostream outputStream(output), errorStream(errors);
  lld::Result result = lld::lldMain(pointers, outputStream, errorStream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    throw Error(message("linker: ", StringRef(errors).split('\n').first.str()));
}

void linkSharedLibrary(ArrayRef<StringRef> objects, StringRef mathObject, const std::string &outPath) {
  std::vector<std::string> arguments = {
      "-shared", "-Bsymbolic", "--strip-all", "--gc-sections", "--hash-style=gnu", "-z", "noexecstack", "-z",
      "relro",   "-z",         "now",         "-soname",       "model.so",         "-o", outPath};
  std::deque<TemporaryFile> objectFiles;
  for (auto [i, object] : enumerate(objects))
    arguments.push_back(objectFiles.emplace_back(outPath + "." + std::to_string(i) + ".o", object).path);
  if (mathObject.empty())
    return runLinker(std::move(arguments));
  TemporaryFile mathFile(outPath + ".libm.o", mathObject);
  TemporaryFile mathLibrary(outPath + ".libm.so", "");
  runLinker({"-shared", "-soname", "libm.so.6", mathFile.path, "-o", mathLibrary.path});
  arguments.push_back(mathLibrary.path);
  runLinker(std::move(arguments));
}

} // namespace sesame
