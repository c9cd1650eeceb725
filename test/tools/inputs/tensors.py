"""Reads and writes safetensors files of f32 and i64, with the standard library alone."""
import array
import json
import struct

CODES = {"F32": "f", "I64": "q"}


def write(path, tensors):
    """tensors: {name: (dtype, shape, flat values)}"""
    header, data = {}, b""
    for name, (dtype, shape, values) in tensors.items():
        raw = array.array(CODES[dtype], values).tobytes()
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def read(path):
    """{name: (shape, flat values)}"""
    with open(path, "rb") as file:
        raw = file.read()
    size = struct.unpack("<Q", raw[:8])[0]
    header, data = json.loads(raw[8 : 8 + size]), raw[8 + size :]
    result = {}
    for name, entry in header.items():
        if name != "__metadata__" and not name.startswith("__padding__"):
            begin, end = entry["data_offsets"]
            result[name] = (entry["shape"], array.array(CODES[entry["dtype"]], data[begin:end]))
    return result
