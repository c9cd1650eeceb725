"""call-bits.py BUNDLE WORK WHAT...: bits of a model that must not depend on how it is called. WHAT:
  stream  `forward` in chunks of 1, 2, 3, ... steps, each from the states that the one before left, gives what the whole sequence gives
  rows    each row of a batch alone gives what the batch gives
  many    a batch with its rows four times gives each of them what the batch gives (recurrences treat many rows in another way)
  cut     each row alone and cut to its length does, too (models that take lengths or a padding mask)
  zeros   outputs are zero at padding: none of it was computed (models that take a padding mask)
  threads two threads give what one gives
Compares bytes."""
import json
import os
import random
import struct
import sys

from bundle_calls import Tensor, run

bundle, work, *checks = sys.argv[1:]
os.makedirs(work, exist_ok=True)
manifest = json.load(open(os.path.join(bundle, "manifest.json")))
entry = next(entry for entry in manifest["entries"] if entry["name"] == "forward")


def expect(what, got, expected):
    assert got.shape == expected.shape, f"{what}: shape {got.shape} instead of {expected.shape}"
    if got.data != expected.data:
        off = sum(a != b for a, b in zip(got.data, expected.data))
        sys.exit(f"{bundle}: {what}: {off} of {len(got.data)} bytes differ")


def axis_of(tensor, symbol):
    return tensor["shape"].index(symbol) if symbol in tensor["shape"] else None


random.seed(7)
mask = next((spec for spec in entry["inputs"] if spec.get("padding_mask")), None)
extents = {"B": 5, "S": 35 if mask else 11, "E": 9}
inputs = {}
if mask:
    lengths = [extents["S"], 1, extents["S"] // 2, extents["S"] - 1, 2]
for spec in entry["inputs"]:
    shape = [extents.get(extent, extent) for extent in spec["shape"]]
    count = 1
    for extent in shape:
        count *= extent
    if spec == mask:
        values = [int(position < length) for length in lengths for position in range(extents["S"])]
    elif spec["name"] == "lengths":
        most = extents[spec["at_most"]]
        values = [most, 1, most // 2, most - 1, 2]
    elif spec["dtype"] == "i64":
        values = [random.randrange(*spec["range"]) for _ in range(count)]
    else:
        continue  # states: zero at first
    inputs[spec["name"]] = Tensor("i64", shape, struct.pack(f"<{count}q", *values))
if not mask and "lengths" in inputs:
    lengths = struct.unpack(f"<{extents['B']}q", inputs["lengths"].data)
specs = {spec["name"]: spec for spec in entry["inputs"] + entry["outputs"]}
whole = run(bundle, work, inputs)
for check in checks:
    if check == "threads":
        for name, tensor in run(bundle, work, inputs, threads=2).items():
            expect(f"{name} with two threads", tensor, whole[name])
    elif check == "stream":
        states, begin, size = {}, 0, 1
        while begin < extents["S"]:
            end = min(begin + size, extents["S"])
            outputs = run(bundle, work, {"input_ids": inputs["input_ids"].part(1, begin, end), **states})
            expect(f"logits of steps {begin} to {end}", outputs["logits"], whole["logits"].part(1, begin, end))
            states = {name.replace("_n", "_0"): tensor for name, tensor in outputs.items() if name != "logits"}
            begin, size = end, size + 1
        assert states, "no states"
        for name, tensor in states.items():
            expect(f"last {name}", tensor, whole[name.replace("_0", "_n")])
    elif check == "many":
        assert all(axis_of(specs[name], "B") == 0 for name in inputs), "an input's first axis is not B"
        rows = extents["B"]
        four = {name: Tensor(tensor.dtype, [4 * rows, *tensor.shape[1:]], tensor.data * 4) for name, tensor in inputs.items()}
        for name, tensor in run(bundle, work, four, threads=2).items():
            axis = axis_of(specs[name], "B")
            for copy in range(4):
                expect(f"{name} of copy {copy} of the rows", tensor.part(axis, copy * rows, (copy + 1) * rows), whole[name])
    elif check == "zeros":
        seen = 0
        for name, tensor in whole.items():
            if axis_of(specs[name], "S") == 1:
                for row, length in enumerate(lengths):
                    assert not any(tensor.part(0, row, row + 1).part(1, length, extents["S"]).data), f"{name} of row {row}"
                seen += 1
        assert seen, "no output with an axis S"
    else:
        for row in range(extents["B"]):
            alone = {name: tensor.part(axis_of(specs[name], "B"), row, row + 1) for name, tensor in inputs.items()}
            expected = {name: tensor.part(axis_of(specs[name], "B"), row, row + 1) for name, tensor in whole.items()}
            if check == "cut":
                length = lengths[row]
                symbol = mask["shape"][1] if mask else specs["lengths"]["at_most"]
                for group in (alone, expected):
                    for name, tensor in group.items():
                        axis = axis_of(specs[name], symbol)
                        if axis is not None:
                            group[name] = tensor.part(axis, 0, length)
            for name, tensor in run(bundle, work, alone).items():
                expect(f"{name} of row {row} alone{' and cut' if check == 'cut' else ''}", tensor, expected[name])
print("same bits")
