//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Dialect/SesameDialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sesame;

#include "sesame/Dialect/SesameDialect.cpp.inc"
#include "sesame/Dialect/SesameEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "sesame/Dialect/SesameAttributes.cpp.inc"
#define GET_OP_CLASSES
#include "sesame/Dialect/SesameOps.cpp.inc"

void SesameDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "sesame/Dialect/SesameAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "sesame/Dialect/SesameOps.cpp.inc"
      >();
}
