"""Copies a checkpoint as it might be found in the wild: wild-checkpoint.py FROM TO EDIT...

Edits, in their order: unset=KEY and set=KEY=JSON of config.json, rename=REGEX->NAME of tensors, copy=NAME->NAME, add=NAME of a buffer that
nobody needs, drop=REGEX, shards=N files.
"""
import json
import os
import re
import shutil
import struct
import sys

source, target = sys.argv[1:3]
os.makedirs(target, exist_ok=True)
with open(os.path.join(source, "config.json"), encoding="utf-8") as file:
    config = json.load(file)
with open(os.path.join(source, "model.safetensors"), "rb") as file:
    header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    body = file.read()
tensors = {name: (entry["dtype"], entry["shape"], body[slice(*entry["data_offsets"])]) for name, entry in header.items() if name != "__metadata__"}


def write(path, names):
    offset, entries = 0, {}
    for name in names:
        dtype, shape, data = tensors[name]
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(entries).encode()
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + b"".join(tensors[name][2] for name in names))


shards = 1
for argument in sys.argv[3:]:
    edit, value = argument.split("=", 1)
    before = (dict(config), list(tensors), shards)
    if edit == "unset":
        config.pop(value, None)
    elif edit == "set":
        key, text = value.split("=", 1)
        config[key] = json.loads(text)
    elif edit == "rename":
        old, new = value.split("->")
        tensors = {re.sub(old, new, name): tensor for name, tensor in tensors.items()}
    elif edit == "copy":
        old, new = value.split("->")
        tensors[new] = tensors[old]
    elif edit == "add":
        tensors[value] = ("F32", [3], bytes(12))
    elif edit == "drop":
        tensors = {name: tensor for name, tensor in tensors.items() if not re.search(value, name)}
    elif edit == "shards":
        shards = int(value)
    else:
        sys.exit(f"{edit}: unknown edit")
    if before == (config, list(tensors), shards):
        sys.exit(f"{argument}: changes nothing")

with open(os.path.join(target, "config.json"), "w", encoding="utf-8") as file:
    json.dump(config, file, indent=2)
if os.path.exists(os.path.join(source, "generation_config.json")):
    shutil.copy(os.path.join(source, "generation_config.json"), target)
if shards == 1:
    write(os.path.join(target, "model.safetensors"), list(tensors))
else:
    places = {name: f"model-{1 + i % shards:05d}-of-{shards:05d}.safetensors" for i, name in enumerate(tensors)}
    for place in set(places.values()):
        write(os.path.join(target, place), [name for name in tensors if places[name] == place])
    with open(os.path.join(target, "model.safetensors.index.json"), "w", encoding="utf-8") as file:
        json.dump({"metadata": {}, "weight_map": places}, file)
