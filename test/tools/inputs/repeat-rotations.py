"""Makes a case of call fwd1 of a Reformer's golden file: repeat-rotations.py GOLDEN ROUNDS CASE

It hashes ROUNDS times by the same rotations, so that every round finds what one finds and their mean is the same. With 0 rounds the
rotations are left out, and the model is to take those of its hash_seed.
"""
import sys

import tensors

path, rounds, case = sys.argv[1], int(sys.argv[2]), {}
for name, (shape, flat) in tensors.read(path).items():
    if not name.startswith(("fwd1.in.", "fwd1.out.")):
        continue
    if ".lsh_rotations." in name:
        if rounds == 0:
            continue
        row = shape[3]
        flat = [value for start in range(0, len(flat), row) for value in [*flat[start : start + row]] * rounds]
        case[name[5:]] = ("F32", shape[:2] + [rounds, row], flat)
        continue
    case[name[5:]] = ("I64" if flat.typecode == "q" else "F32", shape, flat)
tensors.write(sys.argv[3], case)
