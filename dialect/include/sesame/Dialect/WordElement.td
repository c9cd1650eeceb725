//===- WordElement.td - What words of narrow numbers hold --------*- tablegen -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_WORD_ELEMENT_TD
#define SESAME_WORD_ELEMENT_TD

include "sesame/Dialect/SesameBase.td"

/// What the words of a weight hold: bf16, i8 (one scale a column), or in groups ui8 or ui4.
def Sesame_WordElement : TypeAttrBase<"::mlir::Type", "bf16, i8, ui8 or ui4">;

#endif // SESAME_WORD_ELEMENT_TD
