// RUN: sesame-opt %s --split-input-file --verify-diagnostics

func.func @c1_heads_differ(%s: tensor<?x3x3x4xf16>, %c: tensor<5x?x2x7x4xf16>, %i: index) {
  // expected-error @+1 {{'sesame.cache_append' op expects axis 1 (G) of source to be 2, got 3}}
  %r = sesame.cache_append %s into %c[%i] at %i : tensor<?x3x3x4xf16> into tensor<5x?x2x7x4xf16>
  return
}

// -----

func.func @c1_more_steps_than_the_cache_holds(%s: tensor<?x2x8x4xf16>, %c: tensor<5x?x2x7x4xf16>, %i: index) {
  // expected-error @+1 {{expects source to have at most 7 steps, the cache's C, got 8}}
  %r = sesame.cache_append %s into %c[%i] at %i : tensor<?x2x8x4xf16> into tensor<5x?x2x7x4xf16>
  return
}

// -----

func.func @c2_element_types_differ(%s: tensor<?x2x3x4xf32>, %c: tensor<5x?x2x7x4xf16>, %i: index) {
  // expected-error @+1 {{failed to verify that all of {cache, source} have same element type}}
  %r = sesame.cache_append %s into %c[%i] at %i : tensor<?x2x3x4xf32> into tensor<5x?x2x7x4xf16>
  return
}
