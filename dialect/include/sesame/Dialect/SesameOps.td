//===- SesameOps.td - Every operation of the dialect ----*- tablegen -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_OPS_TD
#define SESAME_OPS_TD

include "sesame/Dialect/AttentionOps.td"
include "sesame/Dialect/FeedForwardOps.td"
include "sesame/Dialect/KernelOps.td"
include "sesame/Dialect/RecurrentOps.td"
include "sesame/Dialect/WeightOps.td"

#endif // SESAME_OPS_TD
