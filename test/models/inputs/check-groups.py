"""Checks the panels of a bundle whose weights are in groups against the checkpoint, by the definition of sesame.pack_word_panels.

usage: check-groups.py BUNDLE/weights.safetensors MODEL/model.safetensors 4|8

Of a small GPT-2: the projection back to the model width of every layer, h.*.mlp.c_proj, of which the file has [K, N].
"""
import array
import json
import struct
import sys

CODES = {"F32": "f", "I32": "I", "BF16": "H"}


def read(path):
    """{name: (type, shape, function that gives the flat values)}"""
    with open(path, "rb") as file:
        raw = file.read()
    size = struct.unpack("<Q", raw[:8])[0]
    header, data = json.loads(raw[8 : 8 + size]), raw[8 + size :]

    def values(entry):
        begin, end = entry["data_offsets"]
        return array.array(CODES[entry["dtype"]], data[begin:end])

    return {name: (entry["dtype"], entry["shape"], lambda entry=entry: values(entry))
            for name, entry in header.items() if name != "__metadata__"}


def to_float(bits):
    return struct.unpack("<f", struct.pack("<I", bits))[0]


def to_bf16(value):
    bits = struct.unpack("<I", struct.pack("<f", value))[0]
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16 & 0xFFFF


def check(matrix, k, n, panels, shape, bits):
    zero, per_word = 1 << bits - 1, 32 // bits
    step_words, width = 64 // per_word + 1, shape[2]
    expected_shape = [-(-n // width), -(-k // 64) * step_words, width]
    if shape != expected_shape:
        sys.exit(f"panels of {shape}, expected {expected_shape}")
    wrong = 0
    for column in range(n):
        def word(row):
            return panels[(column // width * shape[1] + row) * width + column % width]

        for first in range(0, k, 32):
            group = [matrix[i * n + column] for i in range(first, min(first + 32, k))]
            step = first // 64 * step_words
            scale_bits = word(step + step_words - 1) >> 16 * (first // 32 % 2) & 0xFFFF
            largest = max(group, key=abs)
            wrong += scale_bits != (to_bf16(-largest / zero) if largest else 0)
            scale = to_float(scale_bits << 16)
            for i, value in enumerate(group):
                place = first % 64 + i
                in_word = place % per_word
                code = word(step + place // per_word) >> 8 * (in_word % 4) + 4 * (in_word // 4) & (1 << bits) - 1
                nearest = min(max(value / scale, -zero), zero - 1)
                # Half a step, and a little for a division in f32.
                wrong += abs(code - zero - nearest) > 0.5001
    return wrong


def main():
    bundle, model, bits = read(sys.argv[1]), read(sys.argv[2]), int(sys.argv[3])
    checked = 0
    for name, (dtype, shape, values) in model.items():
        if not name.endswith("mlp.c_proj.weight"):
            continue
        layer = name.split(".")[-4]
        matches = [entry for key, entry in bundle.items() if "mlp.c_proj" in key and "panels" in key and key.endswith(f".{layer}")]
        if len(matches) != 1 or matches[0][0] != "I32":
            sys.exit(f"{name}: expected one tensor of I32 panels, got {[key for key in bundle]}")
        matrix = values()
        if dtype == "BF16":
            matrix = [to_float(value << 16) for value in matrix]
        wrong = check(matrix, *shape, matches[0][2](), matches[0][1], bits)
        if wrong:
            sys.exit(f"{name}: {wrong} numbers are wrong")
        checked += 1
    if not checked:
        sys.exit("no layer found")


main()
