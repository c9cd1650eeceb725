//===- EntryInterface.h - Names and places of an entry's arguments --------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A public function is an entry (docs/architecture.md). `sesame-bufferize-entries` appends arguments to it,
// so that from then on its arguments are, in order:
//
//   inputs and states | outputs {sesame.output} | arena {sesame.arena} | symbols {sesame.symbol = "B"}
//
// (the arena only after `sesame-plan-arena`, and only if it is not empty).
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_PASSES_ENTRYINTERFACE_H
#define SESAME_PASSES_ENTRYINTERFACE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <optional>

namespace mlir::sesame {

/// Argument attribute: name of an input, state or output as users see it.
inline constexpr llvm::StringLiteral kNameAttr = "sesame.name";
/// Argument and result attribute: one string an axis, a symbol or a decimal number.
inline constexpr llvm::StringLiteral kDimsAttr = "sesame.dims";
/// Argument and result attribute (unit): a buffer that is updated in place.
inline constexpr llvm::StringLiteral kStateAttr = "sesame.state";
/// Function attribute (dictionary): symbols of results that no argument has, and how the runtime computes
/// them.
inline constexpr llvm::StringLiteral kDerivedAttr = "sesame.derived";
/// Argument attribute (unit): the caller's buffer for a result.
inline constexpr llvm::StringLiteral kOutputAttr = "sesame.output";
/// Argument attribute (unit): the arena that holds all temporary buffers.
inline constexpr llvm::StringLiteral kArenaAttr = "sesame.arena";
/// Argument attribute (string): the value of this symbol of `sesame.dims`.
inline constexpr llvm::StringLiteral kSymbolAttr = "sesame.symbol";
/// Result attribute (i64): the argument whose buffer a returned tensor must be.
inline constexpr llvm::StringLiteral kDestinationAttr = "sesame.destination";
/// Argument attribute (unit): the `SesameContext *`; function attribute on an entry that has its C interface.
inline constexpr llvm::StringLiteral kContextAttr = "sesame.context";

/// Is `func` one of the module's entries (public, with a body, not a workspace function)?
bool isEntry(func::FuncOp func);

/// The symbols of `sesame.dims` in the order of the ABI: first appearance among the dynamic axes of inputs,
/// then of states, last those that `sesame.derived` names. Works before and after `sesame-bufferize-entries`.
llvm::SmallVector<llvm::StringRef> getEntrySymbols(func::FuncOp entry);

/// The symbol arguments that `sesame-bufferize-entries` appended, in the order of getEntrySymbols.
llvm::SmallVector<BlockArgument> getSymbolArguments(func::FuncOp entry);

/// The extent of axis `axis` of argument `index`: a constant, or the symbol argument that holds it; null if
/// the argument says neither.
OpFoldResult getArgumentExtent(func::FuncOp entry, unsigned index, int64_t axis);

/// Name of the function that `sesame-plan-arena` puts beside `entry`: symbols -> bytes of arena.
std::string getWorkspaceName(llvm::StringRef entry);

/// Runs a workspace function on the values of the entry's symbols; nothing if it holds more than foldable
/// straight-line code.
std::optional<int64_t> evaluateWorkspace(func::FuncOp workspace, llvm::ArrayRef<int64_t> symbols);

} // namespace mlir::sesame

#endif // SESAME_PASSES_ENTRYINTERFACE_H
