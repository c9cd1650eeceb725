//===- CApi.cpp - The functions of sesame.h -------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Checks of pointers and translation of types; no exception leaves this file.
//
//===----------------------------------------------------------------------===//

#include "CApiSupport.h"

#include "core/Profiler.h"
#include "support/MappedFile.h"
#include "tokenizer/Tokenizer.h"

#include <cstdlib>

using namespace sesame;
using namespace sesame::capi;

namespace {

// The C enumeration is part of the interface, so its numbers are fixed; DType's are kept equal to save a
// table.
static_assert(static_cast<int>(DType::i1) == SESAME_I1 && static_cast<int>(DType::i64) == SESAME_I64 &&
              static_cast<int>(DType::f16) == SESAME_F16 && static_cast<int>(DType::f64) == SESAME_F64);
static_assert(maxRank == SESAME_MAX_RANK);

std::string &lastError() {
  thread_local std::string text;
  return text;
}

} // namespace

SesameStatus capi::failWith(SesameStatus status, const char *what) {
  try {
    lastError() = what;
  } catch (...) {
    lastError().clear(); // no memory for the message
  }
  return status;
}

void capi::requirePointer(const void *pointer, const char *name) {
  if (!pointer)
    throw Error(message("argument '", name, "' is null"));
}

void *capi::allocate(size_t sizeInBytes) {
  void *memory = std::malloc(sizeInBytes ? sizeInBytes : 1);
  if (!memory)
    throw std::bad_alloc();
  return memory;
}

char *capi::copyText(const std::string &text) {
  auto *copy = static_cast<char *>(allocate(text.size() + 1));
  std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

namespace {

[[noreturn]] void notFound(const std::string &what) { throw StatusError(SESAME_NOT_FOUND, what); }

const EntrySpec &entryOf(const Model &model, const char *name) {
  requirePointer(name, "entry");
  if (!model.hasEntry(name))
    try {
      model.entryIndex(name); // for its message
    } catch (const Error &error) {
      notFound(error.what());
    }
  return model.entries()[model.entryIndex(name)];
}

SesameType toC(DType dtype) { return static_cast<SesameType>(dtype); }

/// The number that a caller's C program wrote. Any int is a value of the type there; here, reading another
/// one than the named ones as the type itself would be undefined.
int numberOf(const SesameType &type) {
  int number;
  static_assert(sizeof(number) == sizeof(type));
  std::memcpy(&number, &type, sizeof(number));
  return number;
}
bool isType(int number) { return number >= SESAME_I1 && number <= SESAME_F64; }

DType fromC(const SesameType &type, const char *what) {
  const int number = numberOf(type);
  if (!isType(number))
    throw Error(message(what, " has type ", number, ", which is none"));
  return static_cast<DType>(number);
}

std::string nameOf(const SesameTensor &tensor, const char *kind, size_t index) {
  if (!tensor.name)
    throw Error(message(kind, " ", index, " has no name"));
  return tensor.name;
}

std::vector<int64_t> shapeOf(const SesameTensor &tensor, const std::string &what) {
  if (tensor.rank < 0 || tensor.rank > SESAME_MAX_RANK)
    throw Error(message(what, " has rank ", tensor.rank, ", expected 0 to ", SESAME_MAX_RANK));
  return std::vector<int64_t>(tensor.shape, tensor.shape + tensor.rank);
}

void setShape(SesameTensor &tensor, const std::vector<int64_t> &shape) {
  tensor.rank = static_cast<int32_t>(shape.size());
  for (size_t axis = 0; axis < maxRank; ++axis)
    tensor.shape[axis] = axis < shape.size() ? shape[axis] : 0;
}

void describe(const EntrySpec &entry, const TensorSpec &tensor, SesameTensorInfo &info) {
  info.name = tensor.name.c_str();
  info.type = toC(tensor.dtype);
  info.rank = static_cast<int32_t>(tensor.shape.size());
  for (size_t axis = 0; axis < maxRank; ++axis) {
    info.shape[axis] = 0;
    info.symbols[axis] = nullptr;
    if (axis >= tensor.shape.size())
      continue;
    const Dim &dim = tensor.shape[axis];
    info.shape[axis] = dim.isConstant() ? dim.extent : -1;
    if (!dim.isConstant())
      info.symbols[axis] = entry.symbols[static_cast<size_t>(dim.symbol)].c_str();
  }
  info.is_optional = tensor.defaultValue != InputDefault::none;
  info.is_state = tensor.isState;
}

SesameStatus describeNth(const SesameModel *model, const char *entry, size_t index, SesameTensorInfo *info,
                         std::vector<TensorSpec> EntrySpec::*list, const char *kind) {
  return guarded(SESAME_INVALID_ARGUMENT, [&] {
    requirePointer(model, "model");
    requirePointer(info, "info");
    SesameTensorInfo full = readSized(*info, "SesameTensorInfo");
    const EntrySpec &spec = entryOf(*model->model, entry);
    if (index >= (spec.*list).size())
      notFound(
          message("entry '", spec.name, "' has ", (spec.*list).size(), " ", kind, ", no number ", index));
    describe(spec, (spec.*list)[index], full);
    std::memcpy(info, &full, full.size);
  });
}

template <typename Make> SesameStatus profileText(SesameSession *session, char **text, Make make) {
  return guarded(SESAME_INVALID_ARGUMENT, [&] {
    requirePointer(session, "session");
    requirePointer(text, "text");
    Profiler *profiler = session->session.profiler();
    if (!profiler)
      throw Error("the session was created without 'profile'");
    *text = copyText(make(*profiler));
  });
}

} // namespace

const char *sesame_version(void) { return SESAME_VERSION; }

const char *sesame_last_error(void) { return lastError().c_str(); }

size_t sesame_type_size(SesameType type) {
  const int number = numberOf(type);
  return isType(number) ? static_cast<size_t>(sizeInBits(static_cast<DType>(number)) / 8) : 0;
}

SesameStatus sesame_model_open(const char *path, SesameModel **model) {
  return guarded(SESAME_INVALID_BUNDLE, [&] {
    if (!path || !model)
      throw StatusError(SESAME_INVALID_ARGUMENT, message("argument '", path ? "model" : "path", "' is null"));
    *model = nullptr;
    auto opened = std::make_unique<SesameModel>();
    opened->model = Model::open(path);
    opened->manifestText = readTextFile(joinPath(path, "manifest.json"));
    *model = opened.release();
  });
}

void sesame_model_close(SesameModel *model) { delete model; }

const char *sesame_model_manifest(const SesameModel *model) {
  return model ? model->manifestText.c_str() : "";
}

size_t sesame_model_num_entries(const SesameModel *model) {
  return model ? model->model->entries().size() : 0;
}

const char *sesame_model_entry_name(const SesameModel *model, size_t index) {
  return index < sesame_model_num_entries(model) ? model->model->entries()[index].name.c_str() : nullptr;
}

SesameStatus sesame_model_input(const SesameModel *model, const char *entry, size_t index,
                                SesameTensorInfo *info) {
  return describeNth(model, entry, index, info, &EntrySpec::inputs, "inputs");
}

SesameStatus sesame_model_output(const SesameModel *model, const char *entry, size_t index,
                                 SesameTensorInfo *info) {
  return describeNth(model, entry, index, info, &EntrySpec::outputs, "outputs");
}

SesameStatus sesame_session_create(const SesameModel *model, const SesameSessionOptions *options,
                                   SesameSession **session) {
  return guarded(SESAME_INVALID_ARGUMENT, [&] {
    requirePointer(model, "model");
    requirePointer(session, "session");
    *session = nullptr;
    Session::Options chosen;
    if (options) {
      SesameSessionOptions full = readSized(*options, "SesameSessionOptions");
      chosen.numThreads = full.num_threads;
      chosen.profile = full.profile != 0;
    }
    *session = new SesameSession(model->model, chosen);
  });
}

void sesame_session_destroy(SesameSession *session) { delete session; }

SesameStatus sesame_session_reset(SesameSession *session, int64_t batch, int64_t capacity) {
  return guarded(SESAME_INVALID_ARGUMENT, [&] {
    requirePointer(session, "session");
    session->session.reset(batch, capacity);
  });
}

SesameStatus sesame_session_state(SesameSession *session, const char *name, SesameTensor *state) {
  return guarded(SESAME_NOT_FOUND, [&] {
    if (!session || !name || !state)
      throw StatusError(SESAME_INVALID_ARGUMENT, message("argument '",
                                                         !session ? "session"
                                                         : !name  ? "name"
                                                                  : "state",
                                                         "' is null"));
    StateView view = session->session.state(name);
    state->name = view.name;
    state->type = toC(view.dtype);
    setShape(*state, view.shape);
    state->data = view.data;
  });
}

SesameStatus sesame_session_run(SesameSession *session, const char *entry, const SesameTensor *inputs,
                                size_t num_inputs, SesameTensor *outputs, size_t num_outputs) {
  return guarded(SESAME_INVALID_ARGUMENT, [&] {
    requirePointer(session, "session");
    const EntrySpec &spec = entryOf(session->session.model(), entry);
    if (num_inputs)
      requirePointer(inputs, "inputs");
    if (num_outputs)
      requirePointer(outputs, "outputs");
    std::vector<InputTensor> given;
    for (size_t i = 0; i < num_inputs; ++i) {
      std::string name = nameOf(inputs[i], "input", i), what = "input " + inQuotes(name);
      given.push_back({name, fromC(inputs[i].type, what.c_str()), shapeOf(inputs[i], what), inputs[i].data});
    }
    BoundEntry &bound = session->session.bindInputs(entry, given);
    std::vector<int32_t> numbers;
    for (size_t i = 0; i < num_outputs; ++i) {
      std::string name = nameOf(outputs[i], "output", i);
      int32_t number = spec.findOutput(name);
      if (number < 0)
        notFound(message("entry '", spec.name, "' has no output ", inQuotes(name)));
      for (int32_t other : numbers)
        if (other == number)
          throw Error(message("output ", inQuotes(name), " is asked for twice"));
      numbers.push_back(number);
      if (!outputs[i].data)
        continue;
      std::string what = "output " + inQuotes(name);
      DType dtype = fromC(outputs[i].type, what.c_str());
      std::vector<int64_t> shape = shapeOf(outputs[i], what), right = bound.outputShape(number);
      const TensorSpec &output = spec.outputs[static_cast<size_t>(number)];
      if (dtype != output.dtype || shape != right)
        throw Error(message("entry '", spec.name, "', ", what, ": expected ", toString(output.dtype, right),
                            ", got ", toString(dtype, shape)));
      if (reinterpret_cast<uintptr_t>(outputs[i].data) % sesame_type_size(outputs[i].type) != 0)
        throw Error(message("entry '", spec.name, "', ", what, ": expected data aligned to ",
                            sesame_type_size(outputs[i].type), " bytes"));
      bound.setOutput(number, outputs[i].data);
    }
    bound.run();
    for (size_t i = 0; i < num_outputs; ++i) {
      const TensorSpec &output = spec.outputs[static_cast<size_t>(numbers[i])];
      outputs[i].type = toC(output.dtype);
      setShape(outputs[i], bound.outputShape(numbers[i]));
      outputs[i].data = const_cast<void *>(bound.outputData<void>(numbers[i]));
    }
  });
}

SesameStatus sesame_session_profile_table(SesameSession *session, char **text) {
  return profileText(session, text, [](const Profiler &profiler) { return profiler.table(); });
}

SesameStatus sesame_session_profile_trace(SesameSession *session, char **text) {
  return profileText(session, text, [](const Profiler &profiler) { return profiler.chromeTrace(); });
}

void sesame_free(void *memory) { std::free(memory); }
