//===- BeamAnswers.h - Extractive answers by their likeliest beginnings -*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_IMPORT_BEAMANSWERS_H
#define SESAME_IMPORT_BEAMANSWERS_H

#include "Builder.h"

namespace sesame::importer {

/// The head of XLNet's, XLM's and Flaubert's ForQuestionAnswering, its modules' names beginning with
/// `prefix`: of hidden states [B, S, C] the K = `start_n_top` likeliest first tokens of an answer and for
/// each the `end_n_top` likeliest last ones, with their probabilities, and whether there is an answer.
/// Declares the inputs `p_mask` [B, S], 1 where no answer begins or ends, and `cls_index` [B], and all
/// outputs.
void beamAnswers(ModelBuilder &b, const std::string &prefix, mlir::Value hidden, double epsilon);

} // namespace sesame::importer

#endif // SESAME_IMPORT_BEAMANSWERS_H
