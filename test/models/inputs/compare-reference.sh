#!/usr/bin/env bash
# Runs a bundle of the reference lowering and checks the fast one against it, with one thread and with two.
# Usage: compare-reference.sh MAKE_CASE REFERENCE FAST WORK
set -euo pipefail
make_case=$1 reference=$2 fast=$3 work=$4
mkdir -p "$work"
for shape in "1 1" "5 9" "3 40"; do # the shortest, several rows, the longest
  python3 "$make_case" ids "$work/in.safetensors" $shape 97 7
  sesame run "$reference" --inputs "$work/in.safetensors" --outputs "$work/out.safetensors"
  python3 "$make_case" join "$work/in.safetensors" "$work/out.safetensors" "$work/case.safetensors"
  sesame check "$fast" "$work/case.safetensors" --threads 1
  sesame check "$fast" "$work/case.safetensors" --threads 2
done
