//===----------------------------------------------------------------------===//
//
// Part of the Sesame project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SESAME_PASSES_BUFFERIZABLEOPINTERFACEIMPL_H
#define SESAME_PASSES_BUFFERIZABLEOPINTERFACEIMPL_H

namespace mlir {
class DialectRegistry;

namespace sesame {

/// Teaches one-shot bufferization the kernel operations, `sesame.cache_append` and `sesame.get_weight`.
void registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry);

} // namespace sesame
} // namespace mlir

#endif // SESAME_PASSES_BUFFERIZABLEOPINTERFACEIMPL_H
