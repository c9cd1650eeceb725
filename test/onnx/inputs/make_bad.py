#!/usr/bin/env python3
"""make_bad.py OUT: broken and hostile ONNX files, OUT/NAME.onnx, OUT/expect.txt, a line "NAME: what the message says"
each, and OUT/soon.txt, the names of those that may be sound but must not take long."""

import os
import struct
import sys

FLOAT, INT32, INT64, STRING, BOOL = 1, 6, 7, 8, 9
INT_ATTRIBUTE, TENSOR_ATTRIBUTE = 2, 4


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def data(field, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def tensor(name, kind, dims, raw=None, external=None):
    out = b"".join(number(1, dim) for dim in dims) + number(2, kind) + data(8, name)
    if raw is not None:
        out += data(9, raw)
    for key, value in (external or {}).items():
        out += data(13, data(1, key) + data(2, value))
    return out + (number(14, 1) if external is not None else b"")


def floats(name, dims, count=None):
    size = count
    if size is None:
        size = 1
        for dim in dims:
            size *= dim
    return tensor(name, FLOAT, dims, struct.pack(f"<{size}f", *[0.5] * size))


def ints(name, values, dims=None):
    return tensor(name, INT64, [len(values)] if dims is None else dims, struct.pack(f"<{len(values)}q", *values))


def attribute(name, value):
    return data(5, data(1, name) + number(3, value) + number(20, INT_ATTRIBUTE))


def node(op, inputs, outputs, attributes=b"", name="", domain=""):
    out = b"".join(data(1, i) for i in inputs) + b"".join(data(2, o) for o in outputs)
    return out + data(3, name or op.lower()) + data(4, op) + attributes + (data(7, domain) if domain else b"")


def value(name, kind, dims):
    shape = b"".join(data(1, data(2, d) if isinstance(d, str) else number(1, d)) for d in dims)
    return data(1, name) + data(2, data(1, number(1, kind) + data(2, shape)))


def model(nodes, initializers=(), inputs=None, outputs=("y",), opset=17, ir=8):
    inputs = [value("x", FLOAT, ["batch", 4])] if inputs is None else inputs
    graph = b"".join(data(1, n) for n in nodes) + data(2, "g") + b"".join(data(5, t) for t in initializers)
    graph += b"".join(data(11, i) for i in inputs) + b"".join(data(12, value(o, FLOAT, ["batch", 4])) for o in outputs)
    return number(1, ir) + data(7, graph) + data(8, data(1, "") + number(2, opset))


RELU = [node("Relu", ["x"], ["y"])]
MATMUL = [node("MatMul", ["x", "w"], ["y"])]
GOOD = model(MATMUL, [floats("w", [4, 4])])


def reshape(dims):
    return model([node("Reshape", ["x", "s"], ["y"])], [ints("s", dims)])


BAD = {
    # The file
    "empty": (b"", "found no graph"),
    "text": (b"hello, this is no model\n", "no valid ONNX file"),
    "truncated": (GOOD[:len(GOOD) // 2], "no valid ONNX file"),
    "group-wire-type": (b"\x3b\x3c", "no valid ONNX file"),
    "length-beyond-end": (b"\x3a\xff\xff\xff\xff\x07", "no valid ONNX file"),
    "long-varint": (b"\x08" + b"\xff" * 11, "no valid ONNX file"),
    "old-ir": (model(RELU, ir=2), "IR version"),
    "two-graphs": (GOOD + GOOD, "two"),
    "no-opset": (model(RELU, opset=0), "found opset 0"),
    "old-opset": (model(RELU, opset=9), "found opset 9"),
    "new-opset": (model(RELU, opset=99), "found opset 99"),
    # Tensors
    "short-data": (model(MATMUL, [floats("w", [4, 4], 15)]), "'w': expected 64 bytes"),
    "long-data": (model(MATMUL, [floats("w", [4, 4], 17)]), "'w': expected 64 bytes"),
    "no-data": (model(MATMUL, [tensor("w", FLOAT, [4, 4])]), "'w': expected 64 bytes"),
    "negative-extent": (model(MATMUL, [tensor("w", FLOAT, [-4, 4], b"")]), "'w': its shape"),
    "huge-extents": (model(MATMUL, [tensor("w", FLOAT, [1 << 40, 1 << 40], b"")]), "'w': its shape"),
    "huge-extent": (model(MATMUL, [tensor("w", FLOAT, [1 << 40], b"")]), "'w': expected 4398046511104 bytes"),
    "strings": (model(MATMUL, [tensor("w", STRING, [1], b"")]), "STRING is not supported"),
    "unknown-type": (model(MATMUL, [tensor("w", 77, [1], b"")]), "data type 77 is not supported"),
    "twice-initialized": (model(MATMUL, [floats("w", [4, 4]), floats("w", [4, 4])]), "'w' twice"),
    # External data
    "external-outside": (model(MATMUL, [tensor("w", FLOAT, [4, 4], external={"location": "../secret"})]), "same folder"),
    "external-absolute": (model(MATMUL, [tensor("w", FLOAT, [4, 4], external={"location": "/etc/passwd"})]), "same folder"),
    "external-nowhere": (model(MATMUL, [tensor("w", FLOAT, [4, 4], external={})]), "same folder"),
    "external-missing": (model(MATMUL, [tensor("w", FLOAT, [4, 4], external={"location": "none.bin"})]), "'none.bin' is missing"),
    "external-offset": (model(MATMUL, [tensor("w", FLOAT, [4, 4], external={"location": "weights.bin", "offset": "1"})]), "lies outside"),
    "external-huge-offset": (model(MATMUL, [tensor("w", FLOAT, [4, 4], external={"location": "weights.bin", "offset": str(2**64 - 1)})]), "lies outside"),
    "external-bad-offset": (model(MATMUL, [tensor("w", FLOAT, [4, 4], external={"location": "weights.bin", "offset": "-8"})]), "offset"),
    "external-length": (model(MATMUL, [tensor("w", FLOAT, [4, 4], external={"location": "weights.bin", "length": "8"})]), "found length 8"),
    # The graph
    "unknown-operator": (model([node("Frobnicate", ["x"], ["y"], name="f1")]), "node 'f1' ('Frobnicate'): this operator is not supported"),
    "other-domain": (model([node("Relu", ["x"], ["y"], domain="com.example")]), "'com.example' are not supported"),
    "loop": (model([node("If", ["x"], ["y"])]), "'If'"),
    "cycle": (model([node("Relu", ["b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["a"], ["y"])]), "'b' is not defined before"),
    "own-input": (model([node("Relu", ["y"], ["y"])]), "'y' is not defined before"),
    "missing-input": (model([node("Add", ["x"], ["y"])]), "expected 2 inputs"),
    "undefined-output": (model(RELU, outputs=("z",)), "output 'z' is not defined"),
    "defined-twice": (model(RELU + RELU), "'y' is defined twice"),
    "no-outputs": (model(RELU, outputs=()), "expected outputs"),
    "input-type": (model(RELU, inputs=[value("x", STRING, ["batch"])]), "STRING is not supported"),
    "input-extent": (model(RELU, inputs=[value("x", FLOAT, [0, 4])]), "extent of 0"),
    "input-twice": (model(RELU, inputs=[value("x", FLOAT, [4]), value("x", FLOAT, [4])]), "different names"),
    "attribute-type": (model([node("Softmax", ["x"], ["y"], data(5, data(1, "axis") + data(4, "last") + number(20, 3)))]), "'axis' is not of the expected type"),
    "attribute-twice": (model([node("Softmax", ["x"], ["y"], attribute("axis", 1) * 2)]), "given twice"),
    "axis": (model([node("Softmax", ["x"], ["y"], attribute("axis", 7))]), "expected an axis of 2, found 7"),
    "mixed-types": (model([node("Add", ["x", "i"], ["y"])], [ints("i", [1])]), "one element type"),
    "matmul-shapes": (model(MATMUL, [floats("w", [5, 4])]), "cannot be multiplied"),
    "broadcast": (model([node("Add", ["x", "w"], ["y"])], [floats("w", [5])]), "cannot be shown to be equal"),
    "reshape-size": (reshape([3, 5]), "node 'reshape'"),
    "reshape-negative": (reshape([-7, 4]), "extent of -7"),
    "reshape-two-open": (reshape([-1, -1]), "at most one extent of -1"),
    "reshape-overflow": (reshape([1 << 62, 1 << 62]), "64-bit"),
    "gather-outside": (model([node("Gather", ["w", "i"], ["y"])], [floats("w", [4, 4]), ints("i", [9], [])]), "lies outside"),
    "transpose-order": (model([node("Transpose", ["x"], ["y"], data(5, data(1, "perm") + number(8, 0) + number(8, 0) + number(20, 7)))]), "order of 2 axes"),
    "data-dependent": (model([node("Reshape", ["x", "s"], ["y"])], inputs=[value("x", FLOAT, [4]), value("s", INT64, [2])]), "'s' to be computed from shapes"),
    "huge-constant-shape": (model([node("ConstantOfShape", ["s"], ["y"])], [ints("s", [1 << 40, 1 << 40])]), "extent of 1099511627776 is not supported"),
    "huge-expand": (model([node("Expand", ["x", "s"], ["y"])], [ints("s", [1 << 50, 1, 1])]), "is not supported"),
    "zero-step": (model([node("Range", ["a", "b", "c"], ["y"])], [ints("a", [0], []), ints("b", [4], []), ints("c", [0], [])]), "step other than 0"),
    "empty-scalar": (model([node("Range", ["a", "b", "c"], ["y"])], [ints("a", []), ints("b", [4], []), ints("c", [1], [])]), "node 'range'"),
    "lstm-shapes": (model([node("LSTM", ["x", "w", "w"], ["y"])], [floats("w", [1, 16, 4])], inputs=[value("x", FLOAT, ["t", "b", 3])]), "node 'lstm'"),
}

# Graphs of a few kilobytes that would grow without bound, or be walked forever: they compile or are refused, soon.


def doubled(op, start, count, extra=b""):
    names = [start] + [f"d{i}" for i in range(count)]
    return [node(op, [a, a], [b], extra) for a, b in zip(names, names[1:])], names[-1]


def chain(op, second, count, start="x"):
    names = [start] + [f"n{i}" for i in range(count)]
    return [node(op, [a, second], [b]) for a, b in zip(names, names[1:])], names[-1]


def last(nodes, name):
    return nodes + [node("Identity", [name], ["y"])]


CONCATS, CONCAT = doubled("Concat", "s", 40, attribute("axis", 0))
SQUARES, SQUARE = doubled("Mul", "x", 60)
SCALED, SCALE = chain("Mul", "h", 3000)
ADDED, ADD = chain("Add", "x", 3000)
MINIMA = [node("Shape", ["x"], ["m0"])] + [n for i in range(40) for n in (node("Add", [f"m{i}", "three"], [f"a{i}"]), node("Min", [f"a{i}", "nine"], [f"m{i + 1}"]))]
SOUND_OR_NOT = {
    "doubled-shape": model(CONCATS + [node("Shape", [CONCAT], ["z"]), node("Reshape", ["x", "z"], ["y"])], [ints("s", [1, 1])]),
    "doubled-product": model(last(SQUARES, SQUARE)),
    "long-product": model(last(SCALED, SCALE), [tensor("h", FLOAT, [], struct.pack("<f", 1.0))]),
    "long-sum": model(last(ADDED, ADD)),
    "nested-minima": model(MINIMA + [node("Expand", ["x", "m40"], ["y"])], [ints("three", [3]), ints("nine", [9])]),
    "wide-broadcast": model([node("ConstantOfShape", ["n"], ["a"]), node("Cast", ["a"], ["b"], attribute("to", INT64)),
                             node("Reshape", ["b", "c"], ["d"]), node("Equal", ["b", "d"], ["e"]), node("Cast", ["e"], ["f"], attribute("to", FLOAT)),
                             node("ReduceSum", ["f"], ["y"])], [ints("n", [60000]), ints("c", [60000, 1])]),
}


def main():
    out = sys.argv[1]
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "weights.bin"), "wb") as file:
        file.write(bytes(64))
    with open(os.path.join(out, "good.onnx"), "wb") as file:
        file.write(GOOD)
    with open(os.path.join(out, "expect.txt"), "w") as expect:
        for name, (image, text) in BAD.items():
            with open(os.path.join(out, name + ".onnx"), "wb") as file:
                file.write(image)
            expect.write(f"{name}: {text}\n")
    with open(os.path.join(out, "soon.txt"), "w") as soon:
        soon.writelines(name + "\n" for name in SOUND_OR_NOT)
    for name, image in SOUND_OR_NOT.items():
        with open(os.path.join(out, name + ".onnx"), "wb") as file:
            file.write(image)


main()
