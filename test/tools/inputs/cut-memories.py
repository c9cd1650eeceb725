"""Makes a case of call fwd1 of a golden file in which only the last rows of the memories are kept: cut-memories.py GOLDEN ROWS CASE"""
import sys

import tensors

path, rows, case = sys.argv[1], int(sys.argv[2]), {}
for name, (shape, flat) in tensors.read(path).items():
    if not name.startswith(("fwd1.in.", "fwd1.out.")):
        continue
    if ".mems." in name:
        flat = flat[(shape[0] - rows) * shape[1] * shape[2] :]
        shape = [rows] + shape[1:]
    case[name[5:]] = ("I64" if flat.typecode == "q" else "F32", shape, flat)
tensors.write(sys.argv[3], case)
