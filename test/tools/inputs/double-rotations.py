"""Makes a case of call fwd1 of a Reformer's golden file that hashes twice by the same rotations: double-rotations.py GOLDEN CASE

Both rounds then find what one finds, and their mean is the same.
"""
import sys

import tensors

case = {}
for name, (shape, flat) in tensors.read(sys.argv[1]).items():
    if not name.startswith(("fwd1.in.", "fwd1.out.")):
        continue
    if ".lsh_rotations." in name:
        row = shape[3]
        flat = [value for start in range(0, len(flat), row) for value in [*flat[start : start + row]] * 2]
        shape = shape[:2] + [2, row]
        case[name[5:]] = ("F32", shape, flat)
        continue
    case[name[5:]] = ("I64" if flat.typecode == "q" else "F32", shape, flat)
tensors.write(sys.argv[2], case)
