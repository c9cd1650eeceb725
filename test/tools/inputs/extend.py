"""Runs a text at once and in two parts, the second with the memories of the first: extend.py BUNDLE SCRATCH"""
import subprocess
import sys

import tensors

bundle, scratch = sys.argv[1:3]


def run(entry, inputs):
    tensors.write(scratch + ".in", inputs)
    subprocess.run(
        ["sesame", "run", bundle, "--inputs", scratch + ".in", "--outputs", scratch + ".out", "--entry", entry, "--threads", "1"],
        check=True,
    )
    return tensors.read(scratch + ".out")


ids = [5, 17, 3, 88, 41, 2, 60]
types = [0, 0, 0, 1, 1, 0, 1]
whole = run("forward", {"input_ids": ("I64", [1, 7], ids), "token_type_ids": ("I64", [1, 7], types)})
first = run("forward", {"input_ids": ("I64", [1, 3], ids[:3])})
inputs = {name: ("F32", shape, flat) for name, (shape, flat) in first.items() if name.startswith("mems.")}
inputs.update({"input_ids": ("I64", [1, 4], ids[3:]), "token_type_ids": ("I64", [1, 4], types[3:])})
second = run("extend", inputs)
shape, expected = whole["last_hidden_state"]
got = second["last_hidden_state"][1]
worst = max(abs(a - b) for a, b in zip(expected[3 * shape[2] :], got))
for name, (shape, flat) in whole.items():
    if name.startswith("mems."):
        assert second[name][0] == shape, (name, second[name][0])
        worst = max(worst, max(abs(a - b) for a, b in zip(flat, second[name][1])))
print("same states" if len(got) == 4 * shape[2] and worst < 1e-5 else f"off by {worst}", f"{shape[0]} memories", sep=", ")
