"""Cuts one recorded call out of a golden directory: case-file.py DIRECTORY CALL INPUTS CASE WRONG

INPUTS holds the inputs by name, CASE the call as in.NAME and out.NAME, WRONG the same with out.logits[0, 2, 5] changed by 0.01.
"""
import sys

import tensors

directory, call = sys.argv[1:3]
stored = tensors.read(f"{directory}/golden.safetensors")
case = {name[len(call) + 1 :]: value for name, value in stored.items() if name.startswith((call + ".in.", call + ".out."))}


def write(path, values):
    tensors.write(path, {name: ("I64" if flat.typecode == "q" else "F32", shape, flat) for name, (shape, flat) in values.items()})


write(sys.argv[3], {name[3:]: value for name, value in case.items() if name.startswith("in.")})
# Padded rows are not compared here: only the first, which is whole, is kept if there is no mask.
write(sys.argv[4], case)
shape, flat = case["out.logits"]
flat[2 * shape[2] + 5] += 0.01
write(sys.argv[5], case)
