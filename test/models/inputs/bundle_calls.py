"""Calls of a bundle's entries by `sesame run`, with tensors as bytes."""
import json
import os
import struct
import subprocess

sizes = {"f32": 4, "i64": 8}


class Tensor:
    """Rows of bytes: shape, dtype, data."""

    def __init__(self, dtype, shape, data):
        self.dtype, self.shape, self.data = dtype, list(shape), data

    def part(self, axis, begin, end):
        inner = sizes[self.dtype]
        for extent in self.shape[axis + 1:]:
            inner *= extent
        block = inner * self.shape[axis]
        data = b"".join(self.data[at + begin * inner:at + end * inner] for at in range(0, len(self.data), block))
        return Tensor(self.dtype, self.shape[:axis] + [end - begin] + self.shape[axis + 1:], data)


def run(bundle, work, inputs, entry="forward", threads=1):
    """Outputs by name. `work` is a folder for the files in between."""
    header, body = {}, b""
    for name, tensor in inputs.items():
        header[name] = {"dtype": tensor.dtype.upper(), "shape": tensor.shape, "data_offsets": [len(body), len(body) + len(tensor.data)]}
        body += tensor.data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    given, found = os.path.join(work, "in"), os.path.join(work, "out")
    with open(given, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)
    subprocess.run(["sesame", "run", bundle, "--entry", entry, "--inputs", given, "--outputs", found, "--threads", str(threads)],
                   check=True, stdout=subprocess.DEVNULL)
    with open(found, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        body = file.read()
    return {name: Tensor(value["dtype"].lower(), value["shape"], body[slice(*value["data_offsets"])])
            for name, value in header.items() if not name.startswith("__")}
