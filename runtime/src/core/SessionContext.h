//===- SessionContext.h - What compiled code is given -----------*- C++ -*-===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_CORE_SESSIONCONTEXT_H
#define SESAME_CORE_SESSIONCONTEXT_H

#include "core/Session.h"

namespace sesame {

struct Session::Context {
  SesameContext abi; // abi.team points back to this
  ThreadTeam *team;
  Profiler *profiler;
};

} // namespace sesame

#endif // SESAME_CORE_SESSIONCONTEXT_H
