//===- SesameDialect.h - The sesame dialect --------------------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_DIALECT_SESAMEDIALECT_H
#define SESAME_DIALECT_SESAMEDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "sesame/Dialect/SesameDialect.h.inc"
#include "sesame/Dialect/SesameEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "sesame/Dialect/SesameAttributes.h.inc"
#define GET_OP_CLASSES
#include "sesame/Dialect/SesameOps.h.inc"

#endif // SESAME_DIALECT_SESAMEDIALECT_H
