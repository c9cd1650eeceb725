// RUN: sesame-opt %s --sesame-last-token-logits --remarks-filter="sesame.*" --remark-format=emitRemark 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t

// CHECK-LABEL: func.func @head_runs_on_one_position
// CHECK-SAME:    %[[H:.*]]: tensor<?x?x36xf32>, %[[W:.*]]: tensor<97x36xf32>, %[[G:.*]]: tensor<36xf32>, %[[R:.*]]: tensor<?x?x97xf32>
// CHECK:         %[[S:.*]] = tensor.extract_slice %[[H]][0, %[[LAST:.*]], 0] [%[[B:.*]], 1, 36] [1, 1, 1] : tensor<?x?x36xf32> to tensor<?x36xf32>
// CHECK:         %[[N:.*]] = sesame.layer_norm %[[S]] weight(%[[G]] : tensor<36xf32>) epsilon = {{.*}} : tensor<?x36xf32>
// CHECK-NEXT:    %[[A:.*]] = sesame.activation gelu %[[N]] : tensor<?x36xf32>
// CHECK:         %[[T:.*]] = tensor.extract_slice %[[R]][0, %[[LAST]], 0] [%[[B]], 1, 97] [1, 1, 1] : tensor<?x?x97xf32> to tensor<?x97xf32>
// CHECK-NEXT:    %[[Y:.*]] = sesame.linear %[[A]], %[[W]] residual(%[[T]] : tensor<?x97xf32>) : tensor<?x36xf32>, tensor<97x36xf32> -> tensor<?x97xf32>
// CHECK-NEXT:    return %[[Y]]
func.func @head_runs_on_one_position(%h: tensor<?x?x36xf32>, %w: tensor<97x36xf32>, %g: tensor<36xf32>, %r: tensor<?x?x97xf32>) -> tensor<?x97xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %h, %c0 : tensor<?x?x36xf32>
  %s = tensor.dim %h, %c1 : tensor<?x?x36xf32>
  %n = sesame.layer_norm %h weight(%g : tensor<36xf32>) epsilon = 1.0e-5 : tensor<?x?x36xf32>
  %a = sesame.activation gelu %n : tensor<?x?x36xf32>
  %l = sesame.linear %a, %w residual(%r : tensor<?x?x97xf32>) : tensor<?x?x36xf32>, tensor<97x36xf32> -> tensor<?x?x97xf32>
  %last = arith.subi %s, %c1 : index
  %y = tensor.extract_slice %l[0, %last, 0] [%b, 1, 97] [1, 1, 1] : tensor<?x?x97xf32> to tensor<?x97xf32>
  return %y : tensor<?x97xf32>
}

// CHECK-LABEL: func.func @sum_is_cut_before
// CHECK-COUNT-2: tensor.extract_slice {{.*}} to tensor<?x1x36xf32>
// CHECK:         arith.addf {{.*}} : tensor<?x1x36xf32>
func.func @sum_is_cut_before(%a: tensor<?x?x36xf32>, %b: tensor<?x?x36xf32>, %n: index) -> tensor<?x1x36xf32> {
  %s = arith.addf %a, %b : tensor<?x?x36xf32>
  %y = tensor.extract_slice %s[0, 0, 0] [%n, 1, 36] [1, 1, 1] : tensor<?x?x36xf32> to tensor<?x1x36xf32>
  return %y : tensor<?x1x36xf32>
}

// A cut through the last axis is no cut of rows.
// CHECK-LABEL: func.func @columns_are_not_rows
// CHECK:         sesame.layer_norm %{{.*}} : tensor<?x36xf32>
// CHECK-NEXT:    tensor.extract_slice
func.func @columns_are_not_rows(%h: tensor<?x36xf32>) -> tensor<1x12xf32> {
  %n = sesame.layer_norm %h epsilon = 1.0e-5 : tensor<?x36xf32>
  %y = tensor.extract_slice %n[0, 12] [1, 12] [1, 1] : tensor<?x36xf32> to tensor<1x12xf32>
  return %y : tensor<1x12xf32>
}

// CHECK-LABEL: func.func @many_rows_stay
// CHECK:         sesame.layer_norm
// CHECK-NEXT:    tensor.extract_slice
func.func @many_rows_stay(%h: tensor<?x36xf32>, %k: index) -> tensor<?x36xf32> {
  %n = sesame.layer_norm %h epsilon = 1.0e-5 : tensor<?x36xf32>
  %y = tensor.extract_slice %n[0, 0] [%k, 36] [1, 1] : tensor<?x36xf32> to tensor<?x36xf32>
  return %y : tensor<?x36xf32>
}

// REMARK: the sliced value has another user
// CHECK-LABEL: func.func @second_user_keeps_all_positions
// CHECK:         sesame.layer_norm
// CHECK-NEXT:    tensor.extract_slice
func.func @second_user_keeps_all_positions(%h: tensor<?x36xf32>) -> (tensor<36xf32>, tensor<?x36xf32>) {
  %n = sesame.layer_norm %h epsilon = 1.0e-5 : tensor<?x36xf32>
  %y = tensor.extract_slice %n[0, 0] [1, 36] [1, 1] : tensor<?x36xf32> to tensor<36xf32>
  return %y, %n : tensor<36xf32>, tensor<?x36xf32>
}

// REMARK: the sliced value lies in another block
// CHECK-LABEL: func.func @norm_stays_out_of_the_loop
// CHECK:         sesame.layer_norm
// CHECK:         scf.for
func.func @norm_stays_out_of_the_loop(%h: tensor<?x36xf32>, %k: index, %e: tensor<36xf32>) -> tensor<36xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = sesame.layer_norm %h epsilon = 1.0e-5 : tensor<?x36xf32>
  %r = scf.for %i = %c0 to %k step %c1 iter_args(%a = %e) -> tensor<36xf32> {
    %y = tensor.extract_slice %n[%i, 0] [1, 36] [1, 1] : tensor<?x36xf32> to tensor<36xf32>
    %z = arith.addf %a, %y : tensor<36xf32>
    scf.yield %z : tensor<36xf32>
  }
  return %r : tensor<36xf32>
}

// REMARK: an operand has rows of dynamic width
// CHECK-LABEL: func.func @dynamic_width_stays
// CHECK:         sesame.linear
// CHECK-NEXT:    tensor.extract_slice
func.func @dynamic_width_stays(%h: tensor<?x?xf32>, %w: tensor<97x?xf32>) -> tensor<97xf32> {
  %l = sesame.linear %h, %w : tensor<?x?xf32>, tensor<97x?xf32> -> tensor<?x97xf32>
  %y = tensor.extract_slice %l[0, 0] [1, 97] [1, 1] : tensor<?x97xf32> to tensor<97xf32>
  return %y : tensor<97xf32>
}

// An earlier position sees fewer keys than the last, to which the mask is aligned.
// REMARK: an earlier position than the last sees fewer keys
// CHECK-LABEL: func.func @first_query_of_a_causal_attention
// CHECK:         sesame.attention {{.*}} -> tensor<?x3x?x12xf32>
func.func @first_query_of_a_causal_attention(%q: tensor<?x3x?x12xf32>, %k: tensor<?x3x?x12xf32>) -> tensor<?x3x1x12xf32> {
  %c0 = arith.constant 0 : index
  %a = sesame.attention %q, %k, %k causal scale = 0.25 : tensor<?x3x?x12xf32>, tensor<?x3x?x12xf32>, tensor<?x3x?x12xf32> -> tensor<?x3x?x12xf32>
  %b = tensor.dim %a, %c0 : tensor<?x3x?x12xf32>
  %y = tensor.extract_slice %a[0, 0, 0, 0] [%b, 3, 1, 12] [1, 1, 1, 1] : tensor<?x3x?x12xf32> to tensor<?x3x1x12xf32>
  return %y : tensor<?x3x1x12xf32>
}

// Its row of the mask and of the bias goes with a query, and its position with its rotation.
// CHECK-LABEL: func.func @one_query
// CHECK-DAG:     %[[P:.*]] = tensor.extract_slice %{{.*}}[0, 4] [%{{.*}}, 1] [1, 1] : tensor<?x?xi64> to tensor<?x1xi64>
// CHECK-DAG:     %[[Q:.*]] = tensor.extract_slice %{{.*}}[0, 0, 4, 0] [%{{.*}}, 3, 1, 12] {{.*}} to tensor<?x3x1x12xf32>
// CHECK:         %[[R:.*]] = sesame.rotary %[[Q]], %[[P]], %{{.*}} : tensor<?x3x1x12xf32>
// CHECK-DAG:     %[[M:.*]] = tensor.extract_slice %{{.*}}[0, 4, 0] {{.*}} to tensor<?x1x?xi64>
// CHECK-DAG:     %[[B:.*]] = tensor.extract_slice %{{.*}}[0, 0, 4, 0] {{.*}} to tensor<1x3x1x?xf32>
// CHECK:         sesame.attention %[[R]], %{{.*}}, %{{.*}} mask(%[[M]] : tensor<?x1x?xi64>) bias(%[[B]] : tensor<1x3x1x?xf32>)
func.func @one_query(%x: tensor<?x3x?x12xf32>, %k: tensor<?x3x?x12xf32>, %p: tensor<?x?xi64>, %f: tensor<6xf32>, %m: tensor<?x?x?xi64>, %bias: tensor<1x3x?x?xf32>) -> tensor<?x3x1x12xf32> {
  %c0 = arith.constant 0 : index
  %q = sesame.rotary %x, %p, %f : tensor<?x3x?x12xf32>, tensor<?x?xi64>, tensor<6xf32>
  %a = sesame.attention %q, %k, %k mask(%m : tensor<?x?x?xi64>) bias(%bias : tensor<1x3x?x?xf32>) scale = 0.25 : tensor<?x3x?x12xf32>, tensor<?x3x?x12xf32>, tensor<?x3x?x12xf32> -> tensor<?x3x?x12xf32>
  %b = tensor.dim %a, %c0 : tensor<?x3x?x12xf32>
  %y = tensor.extract_slice %a[0, 0, 4, 0] [%b, 3, 1, 12] [1, 1, 1, 1] : tensor<?x3x?x12xf32> to tensor<?x3x1x12xf32>
  return %y : tensor<?x3x1x12xf32>
}
