//===- PanelOps.h - Reading a matrix that lies in panels ---------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_DIALECT_PANELOPS_H
#define SESAME_DIALECT_PANELOPS_H

#include "sesame/Dialect/SesameDialect.h"

#define GET_OP_CLASSES
#include "sesame/Dialect/PanelOps.h.inc"

#endif // SESAME_DIALECT_PANELOPS_H
