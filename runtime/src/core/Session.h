//===- Session.h - Running the entries of a model ---------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_CORE_SESSION_H
#define SESAME_CORE_SESSION_H

#include "core/Model.h"
#include "support/Buffer.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sesame {

class Profiler;
class Session;
class ThreadTeam;

/// An input of `Session::run`: dense, row-major; the bytes stay the caller's.
struct InputTensor {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  const void *data;
};

/// An output of `Session::run`, owned by whoever holds it.
struct OutputTensor {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  Buffer data;
};

/// A session's state as it is now; `data` is valid until the next reset.
struct StateView {
  const char *name; // lives as long as the session
  DType dtype;
  std::vector<int64_t> shape;
  void *data;
};

/// One entry made ready for many calls (a decoding loop): look names up once, then set symbols and pointers
/// by number and run. A call checks dims, limits and integer ranges, and allocates nothing once the largest
/// dims have been `prepare`d.
///
///     BoundEntry step = session.bind("decode");
///     int32_t length = step.symbol("S"), ids = step.input("input_ids"), logits = step.output("logits");
///     step.setDim(length, 1); step.setInput(ids, token); ...; step.prepare();
///     for (...) { step.run(); pick(step.outputData<float>(logits)); }
///
/// It points into its session, which must stay where it is and outlive it.
class BoundEntry {
public:
  BoundEntry(Session &session, size_t entry);

  const EntrySpec &spec() const { return *entrySpec; }

  /// Numbers of what has this name. Throw Error if there is none.
  int32_t symbol(std::string_view name) const;
  int32_t input(std::string_view name) const;
  int32_t output(std::string_view name) const;

  /// Sets a symbol's value. Those of states need not be set: they come from the session's reset.
  void setDim(int32_t symbol, int64_t value) { dims[static_cast<size_t>(symbol)] = value; }
  int64_t dim(int32_t symbol) const { return dims[static_cast<size_t>(symbol)]; }
  /// Points an input (not a state) at dense memory of the shape that the dims give, which must stay until the
  /// input is set anew. Null: the input's default, if it has one.
  void setInput(int32_t input, const void *data) { given[static_cast<size_t>(input)] = data; }
  /// Points an output at the caller's memory, large enough for the dims; null: this object's own.
  void setOutput(int32_t output, void *data) { targets[static_cast<size_t>(output)] = data; }

  /// Checks the dims and allocates what a run with them needs (arena, outputs, defaults), so that runs with
  /// these or smaller dims allocate nothing. Throws Error.
  void prepare();
  /// Checks everything and calls the compiled code. Throws Error; then nothing was run.
  void run();

  /// After `run`: where the output is. Own memory is valid until the next `prepare` or `run`.
  template <typename T> const T *outputData(int32_t output) const {
    return static_cast<const T *>(buffers[2 + entrySpec->inputs.size() + static_cast<size_t>(output)]);
  }
  /// Extents for the dims as they are set.
  std::vector<int64_t> outputShape(int32_t output) const;
  /// The arena that the last `prepare` or `run` needed.
  uint64_t workspaceInBytes() const { return workspaceSize; }

private:
  friend class Session;
  void bindStates();
  void deriveDims();
  void checkDims();
  void checkRanges() const;
  void checkLengths(const TensorSpec &tensor, const void *data, size_t count) const;
  uint64_t sizeInBytes(const TensorSpec &tensor) const;
  void fillDefault(size_t input);
  void reserveArena();
  bool measureRows();
  void runRows();
  void call();
  [[noreturn]] void fail(const std::string &what) const;

  Session *session;
  size_t entryIndex;
  const EntrySpec *entrySpec;
  EntryCode code;
  std::vector<int64_t> dims;         // -1: not set
  std::vector<int64_t> stateDims;    // the values that the states fix, -1 elsewhere
  std::vector<const void *> given;   // per input
  std::vector<void *> targets;       // per output
  std::vector<void *> buffers;       // as the compiled function takes them
  std::vector<Buffer> defaults, own; // per input; per output
  std::vector<int64_t> rowLengths;   // with a padding mask: tokens of each row
  std::vector<void *> wholeBuffers;  // `buffers` while they point into rows
  int32_t paddingMask;               // an input, or -1
  uint64_t workspaceSize = 0;
  uint64_t statesVersion = 0;
};

/// Memory and threads to run one model's entries, by one thread at a time.
class Session {
public:
  struct Options {
    int numThreads = 0; // 0: as many as the process may run on
    bool profile = false;
  };

  explicit Session(std::shared_ptr<const Model> model) : Session(std::move(model), Options()) {}
  Session(std::shared_ptr<const Model> model, Options options);
  ~Session();
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;

  const Model &model() const { return *sharedModel; }
  int numThreads() const;

  /// Allocates every state that these symbols' values determine, and sets them all to zero. States whose
  /// symbols are not all given are dropped, and an entry that uses them says so. With `mostRows` above B
  /// there is room for as many rows, so that gatherStates need not allocate. Throws Error for a value below
  /// 1, or sizes that overflow.
  void reset(const std::vector<std::pair<std::string, int64_t>> &symbols, int64_t mostRows = 0);
  /// The symbols of decoders: B, and C, how many positions a cache holds.
  void reset(int64_t batch, int64_t capacity, int64_t mostRows = 0) {
    reset({{"B", batch}, {"C", capacity}}, mostRows);
  }
  bool hasStates() const { return !states.empty(); }
  /// Throws Error if there is no such state, or none was allocated.
  StateView state(std::string_view name);

  /// Row i of every state that has the batch axis B becomes what row rows[i] was; there are `numRows`
  /// afterwards, fewer or more than before (beam search). Along an axis C only the first `used` positions are
  /// moved: what lies behind them is no longer defined. Throws Error for a row that is not there.
  void gatherStates(const int32_t *rows, int64_t numRows, int64_t used);

  /// Runs `entry`. Inputs are matched by name; absent ones take their default. Throws Error that names the
  /// input and the axis if one is missing, unknown, of the wrong type or shape, or holds an integer out of
  /// range; then nothing was run.
  std::vector<OutputTensor> run(std::string_view entry, const std::vector<InputTensor> &inputs);
  /// As above, but the outputs stay in the returned object until its next call.
  BoundEntry &runInPlace(std::string_view entry, const std::vector<InputTensor> &inputs);
  /// As runInPlace, in steps: everything is checked and sized, output pointers may be set, then `run()` it.
  BoundEntry &bindInputs(std::string_view entry, const std::vector<InputTensor> &inputs);
  BoundEntry bind(std::string_view entry) { return BoundEntry(*this, sharedModel->entryIndex(entry)); }

  /// Null unless the session was made to profile.
  Profiler *profiler() { return activeProfiler.get(); }
  /// Bytes of the arena and of the states.
  uint64_t arenaInBytes() const { return arena.size(); }
  uint64_t statesInBytes() const;

private:
  friend class BoundEntry;
  struct State {
    std::string name;
    const EntrySpec *entry; // one that has it; all agree
    const TensorSpec *spec;
    std::vector<int64_t> shape;
    Buffer data;
    bool isAllocated = false;
  };
  struct Context;

  State *findState(std::string_view name);
  int64_t stateSymbol(std::string_view name) const;

  std::shared_ptr<const Model> sharedModel;
  std::unique_ptr<ThreadTeam> team;
  std::unique_ptr<Profiler> activeProfiler;
  std::unique_ptr<Context> context;
  Buffer arena;
  std::vector<State> states;
  std::vector<std::pair<std::string, int64_t>> stateSymbols;
  uint64_t statesVersion = 1;
  std::vector<std::unique_ptr<BoundEntry>> bound; // per entry, made when first used
  std::vector<Buffer> aligned;                    // copies of inputs that came misaligned
  Buffer gathered;                                // rows on their way to their new places
};

} // namespace sesame

#endif // SESAME_CORE_SESSION_H
