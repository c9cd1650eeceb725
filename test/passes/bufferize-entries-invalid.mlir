// RUN: sesame-opt %s --allow-unregistered-dialect --sesame-bufferize-entries --split-input-file --verify-diagnostics

// expected-error @+1 {{argument 0: 'sesame.dims' has 1 axes, the type 'tensor<?x8xf32>'}}
func.func @rank(%x: tensor<?x8xf32> {sesame.dims = ["B"]}) {
  return
}

// -----

// expected-error @+1 {{argument 0: 'sesame.dims' gives 9 for axis 1, the type 'tensor<?x8xf32>'}}
func.func @static_extent(%x: tensor<?x8xf32> {sesame.dims = ["B", "9"]}) {
  return
}

// -----

// expected-error @+1 {{argument 0: 'sesame.dims' gives 4 for axis 0, the type 'tensor<?xf32>'}}
func.func @number_for_a_dynamic_extent(%x: tensor<?xf32> {sesame.dims = ["4"]}) {
  return
}

// -----

// expected-error @+1 {{result 0: symbol 'T' occurs in no argument}}
func.func @unbound_symbol(%x: tensor<?xf32> {sesame.dims = ["B"]}) -> (tensor<?xf32> {sesame.dims = ["T"]}) {
  return %x : tensor<?xf32>
}

// -----

// expected-error @+1 {{result 0 has dynamic extents and needs 'sesame.dims'}}
func.func @unnamed_result(%x: tensor<?xf32> {sesame.dims = ["B"]}) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

// -----

// expected-error @+1 {{result 0 is marked 'sesame.state', but no state argument has its name}}
func.func @state_without_argument(%x: tensor<4xf32> {sesame.name = "x"}) -> (tensor<4xf32> {sesame.name = "x", sesame.state}) {
  return %x : tensor<4xf32>
}

// -----

// expected-error @+1 {{argument 0 of an entry must be a ranked tensor, got 'f32'}}
func.func @scalar(%x: f32) {
  return
}
