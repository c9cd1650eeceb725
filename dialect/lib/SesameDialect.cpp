//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "sesame/Dialect/SesameDialect.h"
#include "sesame/Dialect/PanelOps.h"
#include "sesame/Dialect/WordOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::sesame;

/// An enum attribute as its bare keyword. (The generated form of such an attribute prints a space of its own,
/// for
/// `#sesame<activation gelu>`, which after an op's `=` would be a second one.)
template <typename AttrTy> static ParseResult parseKeyword(OpAsmParser &parser, AttrTy &attr) {
  using Enum = decltype(attr.getValue());
  FailureOr<Enum> value = FieldParser<Enum>::parse(parser);
  if (failed(value))
    return failure();
  attr = AttrTy::get(parser.getContext(), *value);
  return success();
}

template <typename AttrTy> static void printKeyword(OpAsmPrinter &printer, Operation *, AttrTy attr) {
  printer.printKeywordOrString(stringifyEnum(attr.getValue()));
}

#include "sesame/Dialect/SesameDialect.cpp.inc"
#include "sesame/Dialect/SesameEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "sesame/Dialect/SesameAttributes.cpp.inc"
#define GET_OP_CLASSES
#include "sesame/Dialect/SesameOps.cpp.inc"
#define GET_OP_CLASSES
#include "sesame/Dialect/PanelOps.cpp.inc"
#define GET_OP_CLASSES
#include "sesame/Dialect/WordOps.cpp.inc"

void SesameDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "sesame/Dialect/SesameAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "sesame/Dialect/SesameOps.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "sesame/Dialect/PanelOps.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "sesame/Dialect/WordOps.cpp.inc"
      >();
}
