"""Numeric tests of one op family: emits a module that runs cases and prints their results, and checks what it printed.

A case is an MLIR function over tensors with small ragged shapes, mostly declared dynamic, together with the expected results, which a
plain Python transcription of the op's documentation gives in double precision.
"""

import math
import re
import struct
import sys


class Tensor:
    """Row-major numbers with a shape."""

    def __init__(self, shape, data):
        assert len(data) == math.prod(shape), (shape, len(data))
        self.shape, self.data = tuple(shape), list(data)

    def __getitem__(self, index):
        flat = 0
        for i, extent in zip(index if isinstance(index, tuple) else (index,), self.shape, strict=True):
            assert 0 <= i < extent, (index, self.shape)
            flat = flat * extent + i
        return self.data[flat]


def indices(shape):
    """All index tuples of a shape, in row-major order."""
    if not shape:
        yield ()
        return
    for first in range(shape[0]):
        for rest in indices(shape[1:]):
            yield (first, *rest)


def tabulate(shape, function):
    return Tensor(shape, [function(*index) for index in indices(shape)])


class Numbers:
    """Multiples of 1/64 in [-1.5, 1.5], exact in f32, f16 and bf16, by a linear congruential generator."""

    def __init__(self, seed):
        self.state = seed

    def next(self, count):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % count

    def floats(self, *shape):
        return Tensor(shape, [(self.next(193) - 96) / 64 for _ in range(math.prod(shape))])


class Case:
    """`inputs`: (name, declared type, Tensor); `results`: (SSA name, declared type, Tensor); `body`: lines of MLIR.

    `rtol` and `atol` bound the error relative to the expected number and the absolute one.
    """

    def __init__(self, name, inputs, body, results, rtol=1e-5, atol=1e-6):
        self.name, self.inputs, self.body, self.results = name, inputs, body, results
        self.rtol, self.atol = rtol, atol


def nested(tensor):
    def build(axis, offset, size):
        if axis == len(tensor.shape):
            return number(tensor.data[offset])
        step = size // tensor.shape[axis] if tensor.shape[axis] else 0
        return "[" + ", ".join(build(axis + 1, offset + i * step, step) for i in range(tensor.shape[axis])) + "]"

    def number(value):
        return repr(value) if isinstance(value, float) else str(value)

    return "" if 0 in tensor.shape else build(0, 0, len(tensor.data))


def static_type(declared, shape):
    element = declared.rsplit("x", 1)[-1]
    return "x".join([str(extent) for extent in shape] + [element])


def emit(cases):
    print("func.func private @printMemrefI32(tensor<*xi32>) attributes {llvm.emit_c_interface}")
    for case in cases:
        arguments = ", ".join(f"%{name}: tensor<{type}>" for name, type, _ in case.inputs)
        types = ", ".join(f"tensor<{type}>" for _, type, _ in case.results)
        print(f"func.func private @{case.name}({arguments}) -> ({types}) attributes {{no_inline}} {{")
        print(case.body)
        print("  return " + ", ".join(name for name, _, _ in case.results) + f" : {types}\n}}")
    print("func.func @main() {")
    for case in cases:
        prefix = f"%{case.name}_"
        for name, type, value in case.inputs:
            actual = static_type(type, value.shape)
            print(f"  {prefix}{name}_s = arith.constant dense<{nested(value)}> : tensor<{actual}>")
            print(f"  {prefix}{name} = tensor.cast {prefix}{name}_s : tensor<{actual}> to tensor<{type}>")
        arguments = ", ".join(prefix + name for name, _, _ in case.inputs)
        sources = ", ".join(f"tensor<{type}>" for _, type, _ in case.inputs)
        types = ", ".join(f"tensor<{type}>" for _, type, _ in case.results)
        print(f"  {prefix}results:{len(case.results)} = call @{case.name}({arguments}) : ({sources}) -> ({types})")
        for i, (_, type, _) in enumerate(case.results):
            value, shape = f"{prefix}results#{i}", type.rsplit("x", 1)[0]
            if not type.endswith("xf32"):
                print(f"  {prefix}f{i} = arith.extf {value} : tensor<{type}> to tensor<{shape}xf32>")
                value = f"{prefix}f{i}"
            print(f"  {prefix}b{i} = arith.bitcast {value} : tensor<{shape}xf32> to tensor<{shape}xi32>")
            print(f"  {prefix}u{i} = tensor.cast {prefix}b{i} : tensor<{shape}xi32> to tensor<*xi32>")
            print(f"  call @printMemrefI32({prefix}u{i}) : (tensor<*xi32>) -> ()")
    print("  return\n}")


def read_results(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    results = []
    for part in text.split("Unranked Memref")[1:]:
        header, data = part.split("data =", 1)
        shape = [int(word) for word in re.search(r"sizes = \[(.*?)\]", header).group(1).split(",")]
        words = [int(word) for word in re.findall(r"-?\d+", data)]
        results.append(Tensor(shape, [struct.unpack("<f", struct.pack("<i", word))[0] for word in words]))
    return results


def check(cases, path, broken):
    """Compares; with `broken`, one expected number of each result is wrong, and only those may be off."""
    actual = read_results(path)
    expected = [(case, name, tensor) for case in cases for name, _, tensor in case.results]
    if len(actual) != len(expected):
        sys.exit(f"expected {len(expected)} results, got {len(actual)}")
    num_off_results, compared = 0, 0
    for (case, name, want), got in zip(expected, actual):
        if want.shape != got.shape:
            sys.exit(f"{case.name} {name}: expected shape {want.shape}, got {got.shape}")
        if not want.data:
            continue
        compared += 1
        wanted = list(want.data)
        if broken:
            wanted[len(wanted) // 2] += 4 * (case.atol + case.rtol * abs(wanted[len(wanted) // 2]))
        # Written so that a NaN is off.
        off = [i for i, (g, w) in enumerate(zip(got.data, wanted)) if not abs(g - w) <= case.atol + case.rtol * abs(w)]
        if off:
            num_off_results += 1
            place = list(indices(want.shape))[off[0]]
            print(f"{case.name} {name}: {len(off)} of {len(wanted)} elements off, first at {list(place)}: "
                  f"got {got.data[off[0]]}, expected {wanted[off[0]]}")
    if broken:
        sys.exit("every comparison failed" if num_off_results == compared else f"only {num_off_results} of {compared} failed")
    print(f"{compared} results compared, {num_off_results} off")
    sys.exit(1 if num_off_results else 0)


def main(cases):
    if sys.argv[1] == "emit":
        emit(cases)
    else:
        check(cases, sys.argv[2], broken=sys.argv[1] == "check-broken")
