#!/bin/sh
# Compiles the functions of an MLIR file with kernel operations to an object file, by Sesame's kernel passes and the upstream conversions.
# usage: build-kernel.sh INPUT.mlir OUTPUT.o LANES        LANES: 16 (AVX-512), 8 (AVX2) or 4 (AVX2 in 128 bits)
# KERNEL_ROWS in the environment sets the rows of a matmul block; KERNEL_WORDS, if set, allows AVX512_VNNI and AVX512_BF16.
set -e
input=$1
output=$2
lanes=$3
case $lanes in
16) cpu=x86-64-v4 ;;
8 | 4) cpu=x86-64-v3 ;;
*) echo "build-kernel.sh: expected 16, 8 or 4 lanes, got '$lanes'" >&2; exit 2 ;;
esac
sesame-opt "$input" \
  --sesame-lower-word-tiles="vector-lanes=$lanes rows=${KERNEL_ROWS:-0} avx2 ${KERNEL_WORDS:+vnni bf16}" \
  --sesame-lower-matmul-tile="vector-lanes=$lanes rows=${KERNEL_ROWS:-0}" --sesame-lower-attention-tile=vector-lanes=$lanes \
  --sesame-lower-norm-tile=vector-lanes=$lanes --sesame-lower-embedding-tile=vector-lanes=$lanes \
  --sesame-expand-math=vector-lanes=$lanes --sesame-hoist-allocas --canonicalize --cse \
  --convert-vector-to-scf --convert-scf-to-cf --convert-vector-to-llvm --expand-strided-metadata --lower-affine \
  --finalize-memref-to-llvm --convert-math-to-llvm --convert-arith-to-llvm --convert-func-to-llvm --convert-cf-to-llvm \
  --convert-index-to-llvm --reconcile-unrealized-casts |
  mlir-translate --mlir-to-llvmir -o "$output.ll"
opt -O3 -mcpu=$cpu ${KERNEL_WORDS:+-mattr=+avx512vnni,+avx512bf16} -mtriple=x86_64-unknown-linux-gnu "$output.ll" -o "$output.bc"
llc -O3 -mcpu=$cpu -relocation-model=pic -mattr=-prefer-256-bit${KERNEL_WORDS:+,+avx512vnni,+avx512bf16} -filetype=obj "$output.bc" -o "$output"
