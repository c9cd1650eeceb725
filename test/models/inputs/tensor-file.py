"""Writes a safetensors file: tensor-file.py OUT NAME=DTYPE[EXTENTS]:VALUES... with dtype I64 or F32; values are one number for all or a list with
commas."""
import json
import re
import struct
import sys

header, body = {}, b""
for argument in sys.argv[2:]:
    name, dtype, extents, values = re.fullmatch(r"([^=]+)=(I64|F32)\[([0-9,]*)\]:(.*)", argument).groups()
    shape = [int(extent) for extent in extents.split(",") if extent]
    count = 1
    for extent in shape:
        count *= extent
    numbers = [int(value) if dtype == "I64" else float(value) for value in values.split(",")]
    if len(numbers) == 1:
        numbers *= count
    data = struct.pack(f"<{count}{'q' if dtype == 'I64' else 'f'}", *numbers)
    header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
    body += data
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open(sys.argv[1], "wb") as out:
    out.write(struct.pack("<Q", len(text)) + text + body)
