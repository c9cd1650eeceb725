#!/usr/bin/env python3
"""Writes inputs for a model, and turns a run's outputs into a case for `sesame check`.

usage: make_case.py ids OUT.safetensors BATCH LENGTH VOCAB SEED     random input_ids
       make_case.py join IN.safetensors OUT.safetensors CASE.safetensors     in.NAME and out.NAME
"""
import json
import random
import struct
import sys


def read(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    body = data[8 + size:]
    return {name: (entry["dtype"], entry["shape"], body[slice(*entry["data_offsets"])])
            for name, entry in header.items() if not name.startswith("__")}


def write(path, tensors):
    header, body = {}, b""
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + body)


if sys.argv[1] == "ids":
    batch, length, vocab, seed = map(int, sys.argv[3:7])
    rng = random.Random(seed)
    ids = [rng.randrange(vocab) for _ in range(batch * length)]
    write(sys.argv[2], {"input_ids": ("I64", [batch, length], struct.pack(f"<{len(ids)}q", *ids))})
elif sys.argv[1] == "join":
    case = {"in." + name: tensor for name, tensor in read(sys.argv[2]).items()}
    case.update({"out." + name: tensor for name, tensor in read(sys.argv[3]).items()})
    write(sys.argv[4], case)
else:
    sys.exit(__doc__)
