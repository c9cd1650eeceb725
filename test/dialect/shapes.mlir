// RUN: sesame-opt %s --resolve-ranked-shaped-type-result-dims --canonicalize | FileCheck %s

// The extent of a result, from those of the operands: the op is not needed to know it.

// CHECK-LABEL: func.func @attention
// CHECK-SAME:  %[[Q:[a-z0-9]+]]: tensor<?x?x?x?xf32>, %[[K:[a-z0-9]+]]: tensor<?x?x?x?xf32>, %[[V:[a-z0-9]+]]: tensor<?x?x?x?xf32>
// CHECK-DAG:   %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG:   %[[C3:.*]] = arith.constant 3 : index
// CHECK-DAG:   %[[B:.*]] = tensor.dim %[[Q]], %[[C0]]
// CHECK-DAG:   %[[E:.*]] = tensor.dim %[[V]], %[[C3]]
// CHECK-NOT:   sesame.
// CHECK:       return %[[B]], %[[E]]
func.func @attention(%q: tensor<?x?x?x?xf32>, %k: tensor<?x?x?x?xf32>, %v: tensor<?x?x?x?xf32>) -> (index, index) {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %o = sesame.attention %q, %k, %v scale = 0.5 : tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32>, tensor<?x?x?x?xf32> -> tensor<?x?x?x?xf32>
  %b = tensor.dim %o, %c0 : tensor<?x?x?x?xf32>
  %e = tensor.dim %o, %c3 : tensor<?x?x?x?xf32>
  return %b, %e : index, index
}

// CHECK-LABEL: func.func @rotary_and_norms
// CHECK-SAME:  %[[X:[a-z0-9]+]]: tensor<?x3x?x?xf32>
// CHECK:       %[[C2:.*]] = arith.constant 2 : index
// CHECK:       %[[S:.*]] = tensor.dim %[[X]], %[[C2]]
// CHECK-NOT:   sesame.
// CHECK:       return %[[S]]
func.func @rotary_and_norms(%x: tensor<?x3x?x?xf32>, %p: tensor<1x?xi64>, %f: tensor<?xf32>) -> index {
  %c2 = arith.constant 2 : index
  %0 = sesame.rotary %x, %p, %f : tensor<?x3x?x?xf32>, tensor<1x?xi64>, tensor<?xf32>
  %1 = sesame.layer_norm %0 epsilon = 0.125 : tensor<?x3x?x?xf32>
  %2 = sesame.rms_norm %1 epsilon = 0.125 : tensor<?x3x?x?xf32>
  %3 = sesame.activation gelu %2 : tensor<?x3x?x?xf32>
  %s = tensor.dim %3, %c2 : tensor<?x3x?x?xf32>
  return %s : index
}

// CHECK-LABEL: func.func @linears
// CHECK-SAME:  %[[X:[a-z0-9]+]]: tensor<?x?xf32>, %[[W:[a-z0-9]+]]: tensor<?x?xf32>, %[[U:[a-z0-9]+]]: tensor<?x?xf32>
// CHECK-DAG:   %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG:   %[[C1:.*]] = arith.constant 1 : index
// CHECK-DAG:   %[[M:.*]] = tensor.dim %[[X]], %[[C0]]
// CHECK-DAG:   %[[N:.*]] = tensor.dim %[[U]], %[[C1]]
// CHECK-NOT:   sesame.
// CHECK:       return %[[M]], %[[N]]
func.func @linears(%x: tensor<?x?xf32>, %w: tensor<?x?xf32>, %u: tensor<?x?xf32>) -> (index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %0 = sesame.linear %x, %w : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  %1 = sesame.gated_linear %0, %u, %u layout = kn : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  %m = tensor.dim %1, %c0 : tensor<?x?xf32>
  %n = tensor.dim %1, %c1 : tensor<?x?xf32>
  return %m, %n : index, index
}

// CHECK-LABEL: func.func @cache_append
// CHECK-SAME:  %{{.*}}, %[[C:[a-z0-9]+]]: tensor<2x?x3x?x4xf32>
// CHECK:       %[[N:.*]] = tensor.dim %[[C]], %c3
// CHECK-NOT:   sesame.
// CHECK:       return %[[N]]
func.func @cache_append(%s: tensor<?x3x?x4xf32>, %c: tensor<2x?x3x?x4xf32>, %i: index) -> index {
  %c3 = arith.constant 3 : index
  %0 = sesame.cache_append %s into %c[%i] at %i : tensor<?x3x?x4xf32> into tensor<2x?x3x?x4xf32>
  %n = tensor.dim %0, %c3 : tensor<2x?x3x?x4xf32>
  return %n : index
}

// An index tensor whose extent is 1 does not say how long the result is.
// CHECK-LABEL: func.func @embedding
// CHECK-SAME:  %[[I:[a-z0-9]+]]: tensor<1x?xi64>, %[[J:[a-z0-9]+]]: tensor<?x1xi64>
// CHECK-DAG:   %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG:   %[[C1:.*]] = arith.constant 1 : index
// CHECK-DAG:   %[[B:.*]] = tensor.dim %[[J]], %[[C0]]
// CHECK-DAG:   %[[S:.*]] = tensor.dim %[[I]], %[[C1]]
// CHECK-NOT:   sesame.
// CHECK:       return %[[B]], %[[S]]
func.func @embedding(%i: tensor<1x?xi64>, %j: tensor<?x1xi64>, %t: tensor<11x5xf32>) -> (index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %0 = sesame.embedding %i, %j in %t, %t : tensor<1x?xi64>, tensor<?x1xi64> in tensor<11x5xf32>, tensor<11x5xf32> -> tensor<?x?x5xf32>
  %b = tensor.dim %0, %c0 : tensor<?x?x5xf32>
  %s = tensor.dim %0, %c1 : tensor<?x?x5xf32>
  return %b, %s : index, index
}

// CHECK-LABEL: func.func @lstm
// CHECK-SAME:  %[[X:[a-z0-9]+]]: tensor<?x?x3xf32>, %{{[a-z0-9]+}}: tensor<2x?x3xf32>, %[[U:[a-z0-9]+]]: tensor<2x?x?xf32>, %[[P:[a-z0-9]+]]: tensor<2x?x?xf32>
// CHECK-DAG:   %[[C1:.*]] = arith.constant 1 : index
// CHECK-DAG:   %[[C2:.*]] = arith.constant 2 : index
// CHECK-DAG:   %[[T:.*]] = tensor.dim %[[X]], %[[C1]]
// CHECK-DAG:   %[[STATE:.*]] = tensor.dim %[[U]], %[[C2]]
// CHECK-DAG:   %[[WIDTH:.*]] = arith.muli %[[STATE]], %[[C2]]
// CHECK-DAG:   %[[H:.*]] = tensor.dim %[[P]], %[[C2]]
// CHECK-NOT:   sesame.
// CHECK:       return %[[T]], %[[WIDTH]], %[[H]]
func.func @lstm(%x: tensor<?x?x3xf32>, %w: tensor<2x?x3xf32>, %u: tensor<2x?x?xf32>, %p: tensor<2x?x?xf32>) -> (index, index, index) {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %y, %h, %c = sesame.lstm %x, %w, %u projection(%p : tensor<2x?x?xf32>) direction = bidirectional
    : tensor<?x?x3xf32>, tensor<2x?x3xf32>, tensor<2x?x?xf32> -> tensor<?x?x?xf32>, tensor<2x?x?xf32>, tensor<2x?x?xf32>
  %t = tensor.dim %y, %c1 : tensor<?x?x?xf32>
  %width = tensor.dim %y, %c2 : tensor<?x?x?xf32>
  %cell = tensor.dim %c, %c2 : tensor<2x?x?xf32>
  return %t, %width, %cell : index, index, index
}
