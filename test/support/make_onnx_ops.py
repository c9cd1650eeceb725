#!/usr/bin/env python3
"""make_onnx_ops.py OUT: small ONNX models that cover the operators, OUT/NAME/model.onnx, and what ONNX Runtime computes
from random inputs, OUT/NAME/golden.safetensors (`runN.in.*`, `runN.out.*`). Needs onnx, onnxruntime, numpy, safetensors; seed 1.
"""

import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

F, I, J, B = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL


class Graph:
    """A model under construction: every `op` adds a node and gives its output's name."""

    def __init__(self):
        self.nodes, self.initializers, self.inputs, self.outputs = [], [], [], []
        self.random = np.random.default_rng(1)

    def input(self, name, kind, dims):
        self.inputs.append(helper.make_tensor_value_info(name, kind, dims))
        return name

    def constant(self, value, dtype=None):
        value = np.asarray(value, dtype=dtype)
        if value.dtype == np.float64 and dtype is None:
            value = value.astype(np.float32)
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(value, name))
        return name

    def weight(self, *shape, dtype=np.float32):
        return self.constant(self.random.standard_normal(shape).astype(dtype) * dtype(0.5))

    def op(self, kind, *inputs, results=1, **attributes):
        names = [f"v{len(self.nodes)}_{i}" for i in range(results)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if results == 1 else names

    def total(self, *values):
        """Outputs of the sums over axis 0, for values of an extent that cannot be an output's."""
        self.output(*(self.op("ReduceSum", self.op("Cast", value, to=F), self.constant([0]), keepdims=0) for value in values))

    def output(self, *values):
        for value in values:
            name = f"out{len(self.outputs)}"
            self.nodes.append(helper.make_node("Identity", [value], [name]))
            self.outputs.append(name)

    def integers(self, *values):
        """Outputs of booleans and int32, which are given as int64."""
        self.output(*(self.op("Cast", value, to=I) for value in values))

    def save(self, folder, runs, opset=18):
        os.makedirs(folder, exist_ok=True)
        untyped = [onnx.ValueInfoProto(name=name) for name in self.outputs]
        graph = helper.make_graph(self.nodes, "ops", self.inputs, untyped, self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        model = onnx.shape_inference.infer_shapes(model)
        inferred = {value.name: value for value in model.graph.value_info}
        for output in model.graph.output:
            if not output.type.WhichOneof("value"):
                output.CopyFrom(inferred[output.name])
        onnx.checker.check_model(model)
        path = os.path.join(folder, "model.onnx")
        onnx.save(model, path)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        golden = {}
        for i, inputs in enumerate(runs):
            for name, value in inputs.items():
                golden[f"run{i}.in.{name}"] = np.ascontiguousarray(value)
            for name, value in zip(self.outputs, session.run(self.outputs, inputs)):
                golden[f"run{i}.out.{name}"] = np.ascontiguousarray(value)
        save_file(golden, os.path.join(folder, "golden.safetensors"))


def normal(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32)


def whole(low, high, *shape):
    return np.random.default_rng(sum(shape) + high).integers(low, high, shape)


def floats(out):
    g = Graph()
    x, y = g.input("x", F, ["batch", 4, 5]), g.input("y", F, [4, 1])
    positive = g.op("Add", g.op("Abs", x), g.constant(0.25))
    for kind in ["Add", "Sub", "Mul", "Div", "Min", "Max", "Sum", "Mean"]:
        g.output(g.op(kind, x, y))
    for kind in ["Min", "Max", "Sum", "Mean"]:
        g.output(g.op(kind, x, y, positive))
    g.output(g.op("Pow", positive, y), g.op("Pow", x, g.constant(2.0)), g.op("Pow", positive, g.constant(0.5)))
    g.output(g.op("Mod", x, y, fmod=1))
    for kind in ["Sqrt", "Log", "Reciprocal"]:
        g.output(g.op(kind, positive))
    for kind in ["Exp", "Erf", "Sin", "Cos", "Floor", "Ceil", "Round", "Neg", "Abs", "Sign", "Relu", "Tanh", "Sigmoid", "Softplus",
                 "Mish", "LeakyRelu", "Elu", "Identity"]:
        g.output(g.op(kind, x))
    g.output(g.op("LeakyRelu", x, alpha=0.3), g.op("Elu", x, alpha=0.5))
    g.output(g.op("Clip", x, g.constant(-0.5), g.constant(0.5)), g.op("Clip", x, "", g.constant(0.1)), g.op("Dropout", x))
    for kind in ["Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"]:
        g.integers(g.op(kind, x, y))
    g.output(g.op("Where", g.op("Less", x, y), x, y))
    g.integers(g.op("IsNaN", g.op("Log", x)))
    g.integers(g.op("Cast", x, to=B), g.op("Cast", x, to=J))
    g.save(out + "/ops-floats", [{"x": normal(3, 4, 5), "y": normal(4, 1)}])


def integers(out):
    g = Graph()
    i, j = g.input("i", I, ["batch", 6]), g.input("j", I, [6])
    for kind in ["Add", "Sub", "Mul", "Div", "Mod", "Min", "Max"]:
        g.output(g.op(kind, i, j))
    for kind in ["Abs", "Neg", "Sign"]:
        g.output(g.op(kind, i))
    small = g.op("Cast", i, to=J)
    g.integers(g.op("Add", small, g.constant(3, np.int32)), g.op("Mul", small, small))
    below, even = g.op("Less", i, j), g.op("Equal", g.op("Mod", i, g.constant(2)), g.constant(0))
    g.integers(g.op("And", below, even), g.op("Or", below, even), g.op("Xor", below, even), g.op("Not", below))
    g.integers(g.op("LessOrEqual", i, j), g.op("GreaterOrEqual", i, j), g.op("Greater", i, j))
    g.output(g.op("Where", below, i, j), g.op("Cast", i, to=F))
    g.output(g.op("CumSum", i, g.constant(1)), g.op("CumSum", i, g.constant(1), exclusive=1),
             g.op("CumSum", i, g.constant(-1), reverse=1), g.op("CumSum", i, g.constant(0), reverse=1, exclusive=1))
    g.output(g.op("ReduceSum", i, g.constant([1])), g.op("ReduceMax", i, g.constant([0]), keepdims=0))
    g.output(g.op("CastLike", g.op("Cast", small, to=F), i))
    g.save(out + "/ops-integers", [{"i": whole(-9, 10, 5, 6), "j": np.array([3, -2, 7, -5, 1, 4])},
                                   {"i": whole(-9, 10, 1, 6), "j": np.array([-3, 2, 5, -1, 6, 9])}])


def moves(out):
    g = Graph()
    x, ids = g.input("x", F, ["batch", "seq", 6]), g.input("ids", I, ["batch", "seq"])
    shape = g.op("Shape", x)
    c = g.constant
    ends = lambda *values: c(list(values))
    g.output(g.op("Slice", x, ends(1), ends(5), ends(2), ends(2)), g.op("Slice", x, ends(-1), ends(-100), ends(2), ends(-1)),
             g.op("Slice", x, ends(1, 0), ends(1 << 40, -1), ends(1, 2)), g.op("Slice", ids, ends(-1), ends(1 << 40), ends(1)))
    g.output(*g.op("Split", x, axis=2, results=3, num_outputs=3), *g.op("Split", x, c([1, 5]), axis=-1, results=2))
    g.output(g.op("Tile", x, c([1, 1, 2])), g.op("Tile", ids, c([2, 1])))
    g.output(g.op("Concat", x, x, axis=2), g.op("Concat", ids, g.op("Neg", ids), axis=1))
    g.output(g.op("Transpose", x), g.op("Transpose", ids), g.op("Transpose", x, perm=[1, 0, 2]))
    g.output(g.op("Reshape", x, c([0, -1, 2, 3])), g.op("Reshape", ids, c([0, 0, 1])))
    g.total(g.op("Reshape", x, c([-1, 6])))
    heads = g.op("Reshape", x, g.op("Concat", g.op("Slice", shape, c([0]), c([2])), c([3, -1]), axis=0))
    g.output(g.op("Transpose", heads, perm=[0, 2, 3, 1]))
    g.output(g.op("Reshape", g.op("Transpose", x, perm=[1, 0, 2]), g.op("Concat", c([-1]), g.op("Slice", shape, c([1]), c([3])), axis=0)))
    g.total(g.op("Flatten", x, axis=2), g.op("Transpose", g.op("Flatten", x, axis=0)))
    g.output(g.op("Flatten", ids, axis=1))
    g.output(g.op("Squeeze", g.op("Unsqueeze", x, c([0, 2])), c([0])), g.op("Unsqueeze", ids, c([-1])))
    g.output(g.op("Expand", g.op("Unsqueeze", ids, c([1])), g.op("Concat", c([1, 4]), c([1]), axis=0)))
    g.output(g.op("Gather", x, c(0), axis=1), g.op("Gather", x, c(-1), axis=2), g.op("Gather", x, c([2, -1, 0]), axis=2),
             g.op("Gather", g.weight(9, 4), ids), g.op("Gather", g.weight(3, 9, 2), ids, axis=1))
    clipped = g.op("Mod", ids, c(6))
    g.output(g.op("GatherElements", x, g.op("Unsqueeze", clipped, c([2])), axis=2))
    g.output(g.op("GatherND", x, g.op("Unsqueeze", g.op("Mod", ids, c(1)), c([2])), batch_dims=1))
    g.output(g.op("Trilu", x), g.op("Trilu", x, c(1), upper=0), g.op("Trilu", x, c(-1)))
    g.output(g.op("Range", c(0), g.op("Gather", shape, c(1)), c(1)))
    filled = g.op("ConstantOfShape", shape, value=numpy_helper.from_array(np.array([0.5], np.float32)))
    g.output(g.op("Mul", x, filled), g.op("Add", ids, g.op("ConstantOfShape", g.op("Shape", ids), value=numpy_helper.from_array(np.array([7])))))
    g.output(g.op("Mul", ids, g.op("Size", ids)), g.op("Div", g.op("Mul", ids, g.op("Gather", shape, c(1))), c(2)))
    g.save(out + "/ops-moves", [{"x": normal(2, 5, 6), "ids": whole(0, 9, 2, 5)}, {"x": normal(1, 3, 6), "ids": whole(0, 9, 1, 3)}])


def reductions(out):
    g = Graph()
    x = g.input("x", F, ["batch", "seq", 6])
    for kind in ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSumSquare", "ReduceL2"]:
        g.output(g.op(kind, x, g.constant([-1])), g.op(kind, x, g.constant([1]), keepdims=0), g.op(kind, x))
    g.output(g.op("ReduceMean", x, g.constant([0, 2]), keepdims=0))
    for kind in ["ArgMax", "ArgMin"]:
        g.output(g.op(kind, x, axis=2, keepdims=0), g.op(kind, x, axis=1))
    for axis in [-1, 1, 0]:
        g.output(g.op("Softmax", x, axis=axis), g.op("LogSoftmax", x, axis=axis))
    g.output(g.op("LayerNormalization", x, g.weight(6), g.weight(6), epsilon=1e-5), g.op("LayerNormalization", x, g.weight(6), axis=2))
    four = g.op("Reshape", x, g.constant([0, 0, 2, 3]))
    g.output(g.op("LayerNormalization", four, g.weight(2, 3), g.weight(2, 3), axis=2))
    g.save(out + "/ops-reductions", [{"x": normal(2, 5, 6)}, {"x": normal(1, 1, 6)}])


def products(out):
    g = Graph()
    x, y = g.input("x", F, ["batch", 3, "seq", 4]), g.input("y", F, ["batch", 1, 4, "seq"])
    v, image = g.input("v", F, [4]), g.input("image", F, ["batch", 3, 9, 8])
    g.output(g.op("MatMul", x, y), g.op("MatMul", x, g.weight(4, 5)), g.op("MatMul", x, v), g.op("MatMul", v, y), g.op("MatMul", x, g.weight(3, 4, 2)))
    rows = g.op("Reshape", x, g.constant([-1, 4]))
    g.total(g.op("Gemm", rows, g.weight(4, 5), g.weight(5)), g.op("Gemm", rows, g.weight(5, 4), g.weight(5), transB=1),
            g.op("Gemm", rows, g.weight(4, 5), g.weight(1, 5), alpha=0.5, beta=2.0), g.op("Gemm", rows, g.weight(4, 5)),
            g.op("Transpose", g.op("Gemm", g.weight(3, 4), rows, transB=1)))
    g.output(g.op("Gemm", rows, rows, transA=1))
    g.output(g.op("Conv", image, g.weight(5, 3, 3, 2), g.weight(5), pads=[1, 0, 2, 1], strides=[2, 1], dilations=[1, 2]),
             g.op("Conv", image, g.weight(5, 3, 3, 4), strides=[3, 4]))
    line = g.op("Reshape", image, g.constant([0, 3, 72]))
    g.output(g.op("Conv", line, g.weight(2, 3, 5), g.weight(2), pads=[2, 2]))
    g.save(out + "/ops-products", [{"x": normal(2, 3, 5, 4), "y": normal(2, 1, 4, 5), "v": normal(4), "image": normal(2, 3, 9, 8)}])


def recurrent(out):
    g = Graph()
    x, lengths = g.input("x", F, ["seq", "batch", 5]), g.input("lengths", J, ["batch"])
    h0 = g.input("h0", F, [2, "batch", 6])
    for direction, q in [("forward", 1), ("reverse", 1), ("bidirectional", 2)]:
        state = h0 if q == 2 else g.op("Slice", h0, g.constant([0]), g.constant([1]))
        for kind, gates in [("RNN", 1), ("GRU", 3), ("LSTM", 4)]:
            weights = [g.weight(q, gates * 6, 5), g.weight(q, gates * 6, 6), g.weight(q, gates * 12)]
            results = 3 if kind == "LSTM" else 2
            g.output(*g.op(kind, x, *weights, results=results, direction=direction, hidden_size=6))
            more = {"linear_before_reset": 1} if kind == "GRU" else {"activations": ["Relu"] * q} if kind == "RNN" else {}
            states = [state, state] if kind == "LSTM" else [state]
            g.output(*g.op(kind, x, *weights, lengths, *states, results=results, direction=direction, hidden_size=6, **more))
        g.output(g.op("LSTM", x, g.weight(q, 24, 5), g.weight(q, 24, 6), direction=direction, hidden_size=6))
    g.save(out + "/ops-recurrent", [{"x": normal(7, 3, 5), "lengths": np.array([7, 2, 5], np.int32), "h0": normal(2, 3, 6)}])


def patterns(out):
    """What exporters make of norms, activations and attention, in other spellings than the fixtures'."""
    g = Graph()
    x, mask = g.input("x", F, ["batch", "seq", 12]), g.input("mask", I, ["batch", "seq"])
    c = g.constant

    def mean(value):
        return g.op("ReduceMean", value, c([-1]))

    centred = g.op("Sub", x, mean(x))
    root = g.op("Sqrt", g.op("Add", mean(g.op("Pow", centred, c(2.0))), c(1e-5)))
    normed = g.op("Add", g.op("Mul", g.op("Div", centred, root), g.weight(12)), g.weight(12))
    g.output(normed)
    square = g.op("Mul", x, x)
    root = g.op("Sqrt", g.op("Add", mean(square), c(1e-6)))
    g.output(g.op("Mul", g.op("Div", x, root), g.weight(12)), g.op("Mul", g.weight(12), g.op("Mul", x, g.op("Div", c(1.0), root))))
    g.output(g.op("Mul", x, g.op("Sigmoid", x)), g.op("Mul", x, g.op("Sigmoid", g.op("Mul", x, c(1.702)))))
    gate = g.op("Add", g.op("Erf", g.op("Mul", x, c(0.70710678))), c(1.0))
    g.output(g.op("Mul", g.op("Mul", x, gate), c(0.5)), g.op("Mul", x, g.op("Mul", c(0.5), gate)))
    cube = g.op("Mul", x, g.op("Mul", x, x))
    inner = g.op("Mul", c(0.7978845608), g.op("Add", x, g.op("Mul", c(0.044715), cube)))
    g.output(g.op("Mul", g.op("Mul", c(0.5), x), g.op("Add", c(1.0), g.op("Tanh", inner))))
    # Not quite an activation: another factor.
    g.output(g.op("Mul", g.op("Mul", x, gate), c(0.6)), g.op("Mul", g.op("Mul", x, x), g.op("Sigmoid", x)))

    def heads(order):
        rows = g.op("Add", g.op("MatMul", x, g.weight(12, 12)), g.weight(12))
        return g.op("Transpose", g.op("Reshape", rows, c([0, 0, 3, 4])), perm=order)

    added = g.op("Mul", g.op("Sub", c(1.0), g.op("Cast", g.op("Unsqueeze", mask, c([1, 2])), to=F)), c(-1e4))
    # Query and key are scaled by the root each, as torch takes scaled_dot_product_attention apart.
    scores = g.op("MatMul", g.op("Mul", heads([0, 2, 1, 3]), c(0.70710678)), g.op("Mul", heads([0, 2, 3, 1]), c(0.70710678)))
    probabilities = g.op("Softmax", g.op("Add", scores, added), axis=-1)
    context = g.op("MatMul", probabilities, heads([0, 2, 1, 3]))
    g.output(g.op("Reshape", g.op("Transpose", context, perm=[0, 2, 1, 3]), c([0, 0, -1])))
    scores = g.op("Div", g.op("MatMul", heads([0, 2, 1, 3]), heads([0, 2, 3, 1])), c(2.0))
    # The probabilities are an output too: attention leaves them in place.
    probabilities = g.op("Softmax", scores, axis=3)
    g.output(g.op("MatMul", probabilities, heads([0, 2, 1, 3])), probabilities)
    # The product of three axes, and rows for a Gemm.
    rows = g.op("Gemm", g.op("Reshape", x, c([-1, 12])), g.weight(12, 8), g.weight(8))
    shape = g.op("Concat", g.op("Shape", x, start=0, end=2), c([8]), axis=0)
    g.output(g.op("Relu", g.op("Reshape", rows, shape)))
    g.save(out + "/ops-patterns", [{"x": normal(2, 5, 12), "mask": np.array([[1, 1, 1, 1, 0], [1, 1, 1, 0, 0]])},
                                   {"x": normal(1, 1, 12), "mask": np.array([[1]])}])


def types(out):
    """Weights of other float types, as exporters cast them."""
    g = Graph()
    x, table = g.input("x", F, ["batch", 4]), g.weight(6, 4, dtype=np.float16)
    g.output(g.op("MatMul", x, g.op("Cast", g.weight(4, 3, dtype=np.float16), to=F)))
    g.output(g.op("Add", x, g.op("Cast", g.weight(4, dtype=np.float64), to=F)))
    g.output(g.op("Mul", x, g.op("Cast", g.constant(0.25, np.float16), to=F)))
    g.output(g.op("Gather", g.op("Cast", table, to=F), g.constant([[1, 5]])))
    g.save(out + "/ops-types", [{"x": normal(3, 4)}])


if __name__ == "__main__":
    for make in (floats, integers, moves, reductions, products, recurrent, patterns, types):
        make(sys.argv[1])
