"""Cases for sesame.linear, gated_linear, layer_norm, rms_norm, activation and embedding."""

import math

from numeric import Case, Numbers, Tensor, indices, main, tabulate


def sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def softplus(x):
    return max(x, 0) + math.log1p(math.exp(-abs(x)))


ACTIVATIONS = {
    "identity": lambda x: x,
    "relu": lambda x: max(x, 0.0),
    "gelu": lambda x: 0.5 * x * (1 + math.erf(x / math.sqrt(2))),
    "gelu_tanh": lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "gelu_quick": lambda x: x * sigmoid(1.702 * x),
    "silu": lambda x: x * sigmoid(x),
    "tanh": math.tanh,
    "sigmoid": sigmoid,
    "relu_squared": lambda x: max(x, 0.0) ** 2,
    "softplus": softplus,
    "mish": lambda x: x * math.tanh(softplus(x)),
    "leaky_relu": lambda x: x if x >= 0 else 0.01 * x,
}

cases = []


def add(name, inputs, body, result, expected, **tolerance):
    cases.append(Case(name, inputs, body, [("%y", result, expected)], **tolerance))


# --- linear -----------------------------------------------------------------------------------------------------------

def product(x, w, N):
    """x [..., K] times w, a function of (n, k)."""
    K = x.shape[-1]
    return tabulate((*x.shape[:-1], N), lambda *i: sum(x[(*i[:-1], k)] * w(i[-1], k) for k in range(K)))


def panels(w, R):
    """w [N, K] in panels [ceil(N / R), K, R], filled with zeros."""
    N, K = w.shape
    return tabulate((-(-N // R), K, R), lambda p, k, r: w[p * R + r, k] if p * R + r < N else 0.0)


def add_linear(name, layout, leading=(2, 3), N=7, K=5, bias=False, residual=False, activation="identity", element="f32",
               weight_element=None, **tolerance):
    numbers = Numbers(len(cases) + 1)
    x, w, b, r = numbers.floats(*leading, K), numbers.floats(N, K), numbers.floats(N), numbers.floats(*leading, N)
    stored = {"nk": w, "kn": tabulate((K, N), lambda k, n: w[n, k]), "panels": panels(w, 4)}[layout]
    dynamic = "?x" * len(leading)
    columns = N if layout == "panels" else "?"
    weight = {"nk": "?x?x", "kn": "?x?x", "panels": f"?x?x4x"}[layout] + (weight_element or element)
    result = f"{dynamic}{columns}x{element}"
    inputs = [("x", f"{dynamic}?x{element}", x), ("w", weight, stored)]
    text = "  %y = sesame.linear %x, %w"
    if bias:
        inputs.append(("b", f"?x{element}", b))
        text += f" bias(%b : tensor<?x{element}>)"
    if residual:
        inputs.append(("r", result, r))
        text += f" residual(%r : tensor<{result}>)"
    text += f" layout = {layout} activation = {activation} : tensor<{dynamic}?x{element}>, tensor<{weight}> -> tensor<{result}>"
    y = product(x, lambda n, k: w[n, k], N)
    expected = tabulate(y.shape, lambda *i: ACTIVATIONS[activation](y[i] + (b[i[-1]] if bias else 0)) + (r[i] if residual else 0))
    add(name, inputs, text, result, expected, **tolerance)


add_linear("linear_nk", "nk")
add_linear("linear_kn", "kn", bias=True)
add_linear("linear_panels", "panels", residual=True)
add_linear("linear_bias_activation_residual", "nk", bias=True, residual=True, activation="gelu")
add_linear("linear_panels_of_all", "panels", leading=(3,), N=9, bias=True, residual=True, activation="relu")
add_linear("linear_of_a_vector", "nk", leading=(), bias=True, activation="tanh")
add_linear("linear_without_columns_to_sum", "kn", K=0, bias=True)
add_linear("linear_half", "nk", bias=True, residual=True, activation="silu", element="f16", rtol=1e-3, atol=1e-4)
add_linear("linear_bfloat_weight", "nk", weight_element="bf16")
# In bf16 a sum of ones would stop at 256.
ones = tabulate((1, 300), lambda m, k: 1.0)
add("linear_bfloat_sums_in_f32", [("x", "?x300xbf16", ones), ("w", "1x300xbf16", ones)],
    "  %y = sesame.linear %x, %w : tensor<?x300xbf16>, tensor<1x300xbf16> -> tensor<?x1xbf16>", "?x1xbf16",
    Tensor((1, 1), [300.0]), rtol=0, atol=1e-3)


def add_gated(name, layout, activation, bias, element="f32", **tolerance):
    numbers, N, K = Numbers(len(cases) + 1), 7, 5
    x, g, u = numbers.floats(3, K), numbers.floats(N, K), numbers.floats(N, K)
    bg, bu = numbers.floats(N), numbers.floats(N)
    stored = {"nk": lambda w: w, "kn": lambda w: tabulate((K, N), lambda k, n: w[n, k]), "panels": lambda w: panels(w, 4)}[layout]
    weight = {"nk": "7x5x", "kn": "5x7x", "panels": "2x5x4x"}[layout] + element
    inputs = [("x", f"?x5x{element}", x), ("g", weight, stored(g)), ("u", weight, stored(u))]
    text = "  %y = sesame.gated_linear %x, %g, %u"
    if bias:
        inputs += [("bg", f"7x{element}", bg), ("bu", f"7x{element}", bu)]
        text += f" bias(%bg, %bu : tensor<7x{element}>, tensor<7x{element}>)"
    text += f" layout = {layout} activation = {activation} : tensor<?x5x{element}>, tensor<{weight}> -> tensor<?x7x{element}>"
    gate, up = product(x, lambda n, k: g[n, k], N), product(x, lambda n, k: u[n, k], N)
    expected = tabulate((3, N), lambda m, n: ACTIVATIONS[activation](gate[m, n] + (bg[n] if bias else 0)) *
                        (up[m, n] + (bu[n] if bias else 0)))
    add(name, inputs, text, f"?x7x{element}", expected, **tolerance)


add_gated("swiglu", "nk", "silu", bias=False)
add_gated("geglu_with_biases", "kn", "gelu_tanh", bias=True)
add_gated("glu_of_panels", "panels", "sigmoid", bias=True)
add_gated("swiglu_half", "nk", "silu", bias=False, element="f16", rtol=1e-3, atol=1e-4)


# --- normalisations ---------------------------------------------------------------------------------------------------

def add_norm(name, op, shape, weight=False, bias=False, offset=None, shift=0.0, element="f32", **tolerance):
    numbers, C = Numbers(len(cases) + 1), shape[-1]
    x = numbers.floats(*shape)
    x = Tensor(shape, [value + shift for value in x.data])
    w, b = numbers.floats(C), numbers.floats(C)
    epsilon = 2.0**-10
    type = "?x" * len(shape) + element
    inputs, text = [("x", type, x)], f"  %y = sesame.{op} %x"
    if weight:
        inputs.append(("w", f"?x{element}", w))
        text += f" weight(%w : tensor<?x{element}>)"
    if bias:
        inputs.append(("b", f"?x{element}", b))
        text += f" bias(%b : tensor<?x{element}>)"
    text += f" epsilon = {epsilon}" + (f" offset = {offset}" if offset else "") + f" : tensor<{type}>"

    def row(leading):
        values = [x[(*leading, c)] for c in range(C)]
        mean = sum(values) / C if op == "layer_norm" else 0.0
        root = math.sqrt(sum((value - mean) ** 2 for value in values) / C + epsilon)
        return [(values[c] - mean) / root * ((w[c] if weight else 1) + (offset or 0)) + (b[c] if bias else 0) for c in range(C)]

    expected = Tensor(shape, [y for leading in indices(shape[:-1]) for y in row(leading)])
    add(name, inputs, text, type, expected, **tolerance)


add_norm("layer_norm", "layer_norm", (2, 3, 7), weight=True, bias=True)
add_norm("layer_norm_bare", "layer_norm", (3, 5))
add_norm("layer_norm_of_a_vector", "layer_norm", (6,), bias=True)
# The mean of squares less the square of the mean would lose every digit here.
add_norm("layer_norm_of_large_numbers", "layer_norm", (2, 7), weight=True, shift=256.0, rtol=0, atol=1e-4)
add_norm("layer_norm_half", "layer_norm", (3, 7), weight=True, bias=True, element="f16", rtol=1e-3, atol=1e-3)
add_norm("rms_norm", "rms_norm", (2, 3, 7), weight=True)
add_norm("rms_norm_with_offset", "rms_norm", (3, 7), weight=True, offset=1.0)
add_norm("rms_norm_bare", "rms_norm", (3, 5))
add_norm("rms_norm_bfloat", "rms_norm", (3, 7), weight=True, element="bf16", rtol=8e-3, atol=1e-3)


# --- activations ------------------------------------------------------------------------------------------------------

samples = Tensor((3, 5), [-30.0, -8.0, -2.5, -1.0, -0.25, -0.015625, 0.0, 0.015625, 0.5, 1.0, 1.75, 3.0, 8.0, 30.0, 88.0])
for kind, function in ACTIVATIONS.items():
    add(f"activation_{kind}", [("x", "?x?xf32", samples)], f"  %y = sesame.activation {kind} %x : tensor<?x?xf32>", "?x?xf32",
        tabulate((3, 5), lambda i, j: function(samples[i, j])), rtol=3e-6, atol=1e-6)
add("activation_half", [("x", "?x?xf16", samples)], "  %y = sesame.activation silu %x : tensor<?x?xf16>", "?x?xf16",
    tabulate((3, 5), lambda i, j: ACTIVATIONS["silu"](samples[i, j])), rtol=1e-3, atol=1e-6)


# --- embedding --------------------------------------------------------------------------------------------------------

numbers = Numbers(7)
words, places, kinds = numbers.floats(11, 5), numbers.floats(6, 5), numbers.floats(2, 5)
ids = tabulate((2, 4), lambda b, s: (5 * b + 3 * s) % 11)
positions = tabulate((1, 4), lambda b, s: s + 2)
types = tabulate((2, 1), lambda b, s: 1 - b)
add("embedding", [("i", "?x?xi64", ids), ("t", "11x?xf32", words)],
    "  %y = sesame.embedding %i in %t : tensor<?x?xi64> in tensor<11x?xf32> -> tensor<?x?x?xf32>", "?x?x?xf32",
    tabulate((2, 4, 5), lambda b, s, c: words[ids[b, s], c]))
sum_of_three = tabulate((2, 4, 5), lambda b, s, c: words[ids[b, s], c] + places[positions[0, s], c] + kinds[types[b, 0], c])
three = [("t", "11x5xf32", words), ("u", "6x5xf32", places), ("v", "2x5xf32", kinds)]
add("embedding_sum_broadcasts", [("i", "?x?xi64", ids), ("j", "1x?xi32", positions), ("k", "?x1xi64", types), *three],
    """  %y = sesame.embedding %i, %j, %k in %t, %u, %v : tensor<?x?xi64>, tensor<1x?xi32>, tensor<?x1xi64>
    in tensor<11x5xf32>, tensor<6x5xf32>, tensor<2x5xf32> -> tensor<?x?x5xf32>""", "?x?x5xf32", sum_of_three)
add("embedding_sum_broadcasts_dynamic_ones", [("i", "?x?xi64", types), ("j", "?x?xi64", positions), ("k", "?x?xi64", ids),
                                              ("v", "2x5xf32", kinds), ("u", "6x5xf32", places), ("t", "11x5xf32", words)],
    """  %y = sesame.embedding %i, %j, %k in %v, %u, %t : tensor<?x?xi64>, tensor<?x?xi64>, tensor<?x?xi64>
    in tensor<2x5xf32>, tensor<6x5xf32>, tensor<11x5xf32> -> tensor<?x?x5xf32>""", "?x?x5xf32", sum_of_three)
add("embedding_half", [("i", "?xi64", Tensor((3,), [4, 0, 10])), ("t", "11x5xf16", words)],
    "  %y = sesame.embedding %i in %t : tensor<?xi64> in tensor<11x5xf16> -> tensor<?x5xf16>", "?x5xf16",
    tabulate((3, 5), lambda m, c: words[(4, 0, 10)[m], c]), rtol=0, atol=1e-7)

main(cases)
