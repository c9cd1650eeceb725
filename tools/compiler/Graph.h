//===- Graph.h - A picture of a model ---*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_COMPILER_GRAPH_H
#define SESAME_COMPILER_GRAPH_H

#include "Dataflow.h"

namespace sesame {

/// An SVG document with the entries side by side: a box for each operation with its weights, the shape of its
/// result and its cost, a frame around each loop. Data flows downwards; what skips boxes runs beside them,
/// inputs of the entry on the left, everything else on the right.
std::string drawGraph(const std::string &title, const std::vector<Dataflow> &entries);

} // namespace sesame

#endif // SESAME_COMPILER_GRAPH_H
