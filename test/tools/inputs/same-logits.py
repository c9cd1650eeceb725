"""Compares the logits in a file with those of a recorded call where the call's mask is not 0: same-logits.py FILE DIRECTORY CALL"""
import sys

import tensors

path, directory, call = sys.argv[1:4]
shape, got = tensors.read(path)["logits"]
golden = tensors.read(f"{directory}/golden.safetensors")
expected_shape, expected = golden[f"{call}.out.logits"]
assert shape == expected_shape, (shape, expected_shape)
mask = golden[f"{call}.in.attention_mask"][1] if f"{call}.in.attention_mask" in golden else None
width = shape[-1]
compared = 0
for i, (a, b) in enumerate(zip(got, expected)):
    if mask is None or mask[i // width]:
        assert abs(a - b) <= 1e-4 * max(1, abs(b)), (i, a, b)
        compared += 1
assert compared
print("logits agree")
