//===- CApiSupport.h - What the parts of the C API share --------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_CAPISUPPORT_H
#define SESAME_CAPISUPPORT_H

#include "sesame/sesame.h"

#include "core/Session.h"
#include "support/Error.h"

#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <string>

namespace sesame {
class Tokenizer;
}

struct SesameModel {
  std::shared_ptr<const sesame::Model> model;
  std::string manifestText;
  // Read when first asked for; many models have none.
  mutable std::mutex tokenizerMutex;
  mutable std::shared_ptr<const sesame::Tokenizer> tokenizer;
};

struct SesameSession {
  SesameSession(std::shared_ptr<const sesame::Model> model, sesame::Session::Options options)
      : session(std::move(model), options) {}
  sesame::Session session;
};

namespace sesame::capi {

/// An Error that is to be reported with another status than its neighbours.
struct StatusError : Error {
  StatusError(SesameStatus status, const std::string &what) : Error(what), status(status) {}
  SesameStatus status;
};

/// Keeps the message for sesame_last_error and returns `status`.
SesameStatus failWith(SesameStatus status, const char *what);

/// Runs `body` and lets no exception out; an Error becomes `status`.
template <typename Body> SesameStatus guarded(SesameStatus status, Body body) {
  try {
    body();
    return SESAME_OK;
  } catch (const StatusError &error) {
    return failWith(error.status, error.what());
  } catch (const Error &error) {
    return failWith(status, error.what());
  } catch (const std::bad_alloc &) {
    return failWith(SESAME_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception &error) {
    return failWith(SESAME_INTERNAL_ERROR, error.what());
  } catch (...) {
    return failWith(SESAME_INTERNAL_ERROR, "unknown exception");
  }
}

/// Throws Error if an argument is null.
void requirePointer(const void *pointer, const char *name);

/// A struct whose first field is its size, with zeros for the fields that a caller built against an older
/// header does not have. Throws Error if it comes from a newer one.
template <typename T> T readSized(const T &given, const char *name) {
  if (given.size < sizeof(size_t) || given.size > sizeof(T))
    throw Error(message("'size' of ", name, " is ", given.size, ", expected at most ", sizeof(T)));
  T full = {};
  std::memcpy(&full, &given, given.size);
  return full;
}

/// Memory that sesame_free takes. Throws bad_alloc.
void *allocate(size_t sizeInBytes);
char *copyText(const std::string &text);

} // namespace sesame::capi

#endif // SESAME_CAPISUPPORT_H
