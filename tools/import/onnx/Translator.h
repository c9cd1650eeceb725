//===- Translator.h - ONNX nodes as sesame, linalg and tensor ops -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Nodes are translated front to back. What a node makes is a Term: it becomes IR when a node needs it as a
// tensor, so shape arithmetic leaves none, and masks and index arithmetic become one loop each.
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_ONNX_TRANSLATOR_H
#define SESAME_IMPORT_ONNX_TRANSLATOR_H

#include "Extent.h"
#include "Model.h"

#include "import/TensorOps.h"
#include "support/DType.h"
#include "support/Error.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sesame::onnx {

using importer::Scalars;

/// The kinds of elements there are in the IR. Floats of every width are computed in f32.
enum class Kind { f32, i64, i32, boolean };

using Dims = llvm::SmallVector<Extent>;

/// Integers in [low, high).
struct Bounds {
  Extent low, high;
};

/// A tensor of the graph. It has one of: known elements, a stored weight, an expression for its elements, a
/// tensor in the IR (which an expression or a weight gets when it is asked for).
struct Term {
  Kind kind = Kind::f32;
  Dims dims;

  /// All elements of an integer tensor, row-major.
  std::optional<std::vector<Extent>> integers;
  /// The value that every element has.
  std::optional<float> number;
  /// The constant it is, with its axes in the order `permutation` (empty: as they are stored).
  const Tensor *weight = nullptr;
  llvm::SmallVector<int64_t> permutation;
  /// The element at some place.
  std::function<mlir::Value(Scalars, mlir::ValueRange)> element;
  /// How many operations `element` stands for.
  unsigned cost = 0;
  mlir::Value ir;

  /// What the elements of an integer tensor are surely in.
  std::optional<Bounds> bounds;
  /// The input of the entry whose elements these are, in whatever shape; -1 for none.
  int input = -1;
  /// Where it comes from, for patterns.
  const Node *node = nullptr;
  llvm::SmallVector<Term *> operands;

  int64_t rank() const { return dims.size(); }
  bool isFloat() const { return kind == Kind::f32; }
  bool isA(llvm::StringRef opType) const { return node && opType == node->opType; }
};

/// Shape arithmetic on more elements than this is none: the tensor is computed when the model runs.
inline constexpr int64_t maxShapeElements = 65536;

class Translator;

/// A node that is being translated.
struct Call {
  Translator &translator;
  const Node &node;
  llvm::SmallVector<Term *> inputs; // null for one that is left out
  llvm::SmallVector<Term *> results;

  /// Throws Error that names the file and the node.
  [[noreturn]] void fail(const std::string &what) const;

  Term *input(size_t index) const;
  Term *optional(size_t index) const { return index < inputs.size() ? inputs[index] : nullptr; }
  void result(Term *term) { results.push_back(term); }

  int64_t integer(llvm::StringRef name, int64_t fallback) const;
  double number(llvm::StringRef name, double fallback) const;
  std::string text(llvm::StringRef name, const std::string &fallback) const;
  std::optional<std::vector<int64_t>> integers(llvm::StringRef name) const;

  /// The elements of an input that must be known.
  const std::vector<Extent> &extents(size_t index) const;
  std::vector<int64_t> constants(size_t index) const;
  /// The same of an input with one element.
  const Extent &extent(size_t index) const;
  int64_t constant(size_t index) const;
  /// An attribute of old opsets that became an input: axes. None if neither is there.
  std::optional<std::vector<int64_t>> axes(llvm::StringRef name, size_t index) const;
  /// `axis` of `rank` axes, counted from the end if it is negative.
  int64_t axis(int64_t axis, int64_t rank) const;
};

using Handler = void (*)(Call &);
using Handlers = std::map<std::string, Handler, std::less<>>;

void addElementwise(Handlers &handlers);
void addShapes(Handlers &handlers);
void addGathers(Handlers &handlers);
void addProducts(Handlers &handlers);
void addReductions(Handlers &handlers);
void addRecurrent(Handlers &handlers);

class Translator {
public:
  Translator(mlir::MLIRContext &context, const Model &model);

  /// Builds the module with the entry `forward`.
  mlir::OwningOpRef<mlir::ModuleOp> run();

  const Model &model;
  mlir::OpBuilder builder;
  mlir::Location loc;

  //===--------------------------------------------------------------------===//
  // Making terms
  //===--------------------------------------------------------------------===//

  Term *integersOf(Kind kind, Dims dims, std::vector<Extent> elements);
  Term *scalar(int64_t value) { return integersOf(Kind::i64, {}, {value}); }
  Term *splat(Dims dims, float value);
  Term *tensor(Kind kind, Dims dims, mlir::Value value);
  /// A tensor by its elements; `sources` are the terms that `element` reads by `at`.
  Term *expression(Kind kind, Dims dims, llvm::ArrayRef<Term *> sources,
                   std::function<mlir::Value(Scalars, mlir::ValueRange)> element);
  Term *weight(const Tensor &tensor);

  //===--------------------------------------------------------------------===//
  // Reading terms
  //===--------------------------------------------------------------------===//

  /// The term as a tensor in the IR.
  mlir::Value materialize(Term *term);
  /// An element of it, in a loop's body. The term is one of the sources of the expression.
  mlir::Value at(Term *term, Scalars s, mlir::ValueRange indices);
  /// The same for indices into a tensor that the term is broadcast to.
  mlir::Value atBroadcast(Term *term, Scalars s, mlir::ValueRange indices);
  std::optional<Bounds> boundsOf(const Term *term) const;
  /// The value of a float that is the same everywhere.
  std::optional<double> numberOf(const Term *term) const { return term->number; }

  //===--------------------------------------------------------------------===//
  // Views and common operations
  //===--------------------------------------------------------------------===//

  Term *transpose(Term *x, llvm::ArrayRef<int64_t> permutation);
  Term *reshape(Term *x, const Dims &dims);
  Term *broadcast(Term *x, const Dims &dims);
  /// `size` elements of `axis` from `offset` on, each `step` after the other.
  Term *slice(Term *x, int64_t axis, const Extent &offset, const Extent &size, int64_t step = 1);
  /// activation(x * weight + bias); `weight` is a stored matrix [K, N].
  Term *linear(Term *x, Term *weight, Term *bias);
  Term *activation(mlir::sesame::Activation kind, Term *x);
  Term *add(Term *a, Term *b);
  /// Sum, largest or smallest over some axes, which are kept with extent 1 or dropped.
  enum class Reduction { sum, largest, smallest, product };
  Term *reduce(Reduction reduction, Term *x, llvm::ArrayRef<int64_t> axes, bool keep);

  //===--------------------------------------------------------------------===//
  // Extents
  //===--------------------------------------------------------------------===//

  mlir::Value index(mlir::OpBuilder &at, const Extent &extent);
  mlir::OpFoldResult fold(const Extent &extent);
  mlir::RankedTensorType typeOf(Kind kind, const Dims &dims);
  mlir::Type elementType(Kind kind);
  mlir::Value empty(Kind kind, const Dims &dims);
  /// The shape that both are broadcast to.
  Dims broadcastDims(const Dims &a, const Dims &b);
  Extent product(llvm::ArrayRef<Extent> extents);
  std::optional<Extent> minimum(const Extent &a, const Extent &b);
  std::optional<Extent> maximum(const Extent &a, const Extent &b);
  /// a / b, rounded down, for a constant b above 0.
  Extent floorDivide(const Extent &a, int64_t b);
  /// Makes `value` at most `limit` by a bound on the only symbol in it. False if that cannot be done.
  bool requireAtMost(const Extent &value, int64_t limit);
  /// Makes the elements of an integer tensor lie in [0, limit): by what is known of them, by a bound on a
  /// symbol, or on the elements of an input. False if that cannot be done.
  bool requireIndices(Term *indices, int64_t limit);
  std::string describe(const Dims &dims) const;

  /// A weight symbol whose value `recipe` makes of the stored tensor. `key` tells recipes of one tensor
  /// apart.
  mlir::Value weightBy(const Tensor &tensor, const std::string &key, mlir::RankedTensorType type,
                       llvm::function_ref<mlir::Value(mlir::Value stored)> recipe);

  [[noreturn]] void fail(const std::string &what) const;

  /// How many patterns of each name were raised to ops of their own.
  std::map<std::string, int> raised;
  /// What Raise.cpp made of a mask, and of masks that are added: layers share them.
  std::map<const Term *, Term *> narrowed;
  std::map<std::vector<const Term *>, Term *> biases;

private:
  friend struct Call;

  void addInput(const ValueInfo &info);
  void addInitializers();
  void translate(const Node &node);
  void addOutputs();
  Term *make(Kind kind, Dims dims);
  std::string dimText(const Extent &extent, mlir::NamedAttrList &derived);

  struct Opaque {
    enum class Op { floorDividePlusOne, minimum, maximum } op;
    Extent a, b;
    /// How deep such values are nested in it.
    unsigned depth;
  };
  Extent opaque(Opaque::Op op, const Extent &a, const Extent &b);

  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::func::FuncOp function;
  mlir::Operation *lastWeight = nullptr;
  Handlers handlers;
  std::deque<Term> terms;
  std::map<std::string, Term *, std::less<>> scope;
  std::map<std::string, unsigned> uses;
  const Node *current = nullptr;

  /// Of each symbol: the name, and the index value or what it is computed from.
  std::vector<std::string> symbolNames;
  std::vector<mlir::Value> symbolValues;
  std::vector<std::optional<Opaque>> opaques;
  std::map<std::string, unsigned> symbolByName;
  std::map<unsigned, int64_t> limits;

  /// Of each argument: the upper bound of its elements, if they are indices.
  std::vector<std::optional<int64_t>> inputBounds;
  std::map<std::pair<std::string, std::string>, std::string> weightSymbols;
};

/// The op that the pattern ending in this node stands for, or null: attention, norms, activations. Declared
/// in Raise.cpp.
Term *raise(Call &call);

} // namespace sesame::onnx

#endif // SESAME_IMPORT_ONNX_TRANSLATOR_H
