"""Cases for sesame.rnn, sesame.lstm and sesame.gru."""

import math

from numeric import Case, Numbers, Tensor, main


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def clip(x, limit):
    return max(-limit, min(limit, x)) if limit else x


class Weights:
    """Of one direction; all but the matrices may be None."""

    def __init__(self, direction, wi, wh, bi, bh, projection=None):
        def part(tensor):
            return None if tensor is None else [[tensor[direction, i, j] for j in range(tensor.shape[2])] for i in range(tensor.shape[1])]

        def row(tensor):
            return None if tensor is None else [tensor[direction, i] for i in range(tensor.shape[1])]

        self.wi, self.wh, self.projection = part(wi), part(wh), part(projection)
        self.bi = row(bi) or [0.0] * len(self.wi)
        self.bh = row(bh) or [0.0] * len(self.wi)

    @staticmethod
    def times(matrix, vector):
        return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]

    def from_input(self, x):
        return [a + b for a, b in zip(self.times(self.wi, x), self.bi, strict=True)]

    def from_hidden(self, h):
        return [a + b for a, b in zip(self.times(self.wh, h), self.bh, strict=True)]


def rnn_cell(w, x, h, c, activation):
    return [activation(a + b) for a, b in zip(w.from_input(x), w.from_hidden(h))], None


def lstm_cell(w, x, h, c, cell_clip, projection_clip):
    gates = [a + b for a, b in zip(w.from_input(x), w.from_hidden(h))]
    H = len(c)
    i, f, g, o = (gates[k * H:(k + 1) * H] for k in range(4))
    c = [clip(sigmoid(f[j]) * c[j] + sigmoid(i[j]) * math.tanh(g[j]), cell_clip) for j in range(H)]
    h = [sigmoid(o[j]) * math.tanh(c[j]) for j in range(H)]
    if w.projection:
        h = [clip(x, projection_clip) for x in w.times(w.projection, h)]
    return h, c


def gru_cell(w, x, h, c, reset_before):
    H = len(h)
    a, b = w.from_input(x), w.from_hidden(h)
    r = [sigmoid(a[j] + b[j]) for j in range(H)]
    z = [sigmoid(a[H + j] + b[H + j]) for j in range(H)]
    if reset_before:
        b = w.from_hidden([r[j] * h[j] for j in range(H)])
        n = [math.tanh(a[2 * H + j] + b[2 * H + j]) for j in range(H)]
    else:
        n = [math.tanh(a[2 * H + j] + r[j] * b[2 * H + j]) for j in range(H)]
    return [(1 - z[j]) * n[j] + z[j] * h[j] for j in range(H)], None


def recurrence(x, directions, weights, lengths, h0, c0, width, cell_width, cell):
    """`directions`: for each whether it is reversed. Returns output [B, T, Q * width], final hidden and cell states."""
    B, T, I = x.shape
    Q = len(directions)
    output = {}
    final_h, final_c = [], []
    for q, reverse in enumerate(directions):
        for b in range(B):
            h = [h0[q, b, j] for j in range(width)] if h0 else [0.0] * width
            c = [c0[q, b, j] for j in range(cell_width)] if c0 else [0.0] * cell_width
            steps = range(lengths[b] if lengths else T)
            for t in reversed(steps) if reverse else steps:
                h, c = cell(weights[q], [x[b, t, i] for i in range(I)], h, c)
                for j in range(width):
                    output[b, t, q * width + j] = h[j]
            final_h += h
            final_c += c or []
    assert len(final_h) == Q * B * width
    flat = [output.get((b, t, j), 0.0) for b in range(B) for t in range(T) for j in range(Q * width)]
    return Tensor((B, T, Q * width), flat), Tensor((Q, B, width), final_h), Tensor((Q, B, cell_width), final_c) if final_c else None


cases = []


def add(name, op, direction, gates, cell, attributes="", lengths=None, states=False, biases=True, P=None, element="f32",
        lengths_type="?xi64", **tolerance):
    numbers = Numbers(len(cases) + 1)
    B, T, I, H = 3, 5, 4, 5
    directions = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[direction]
    Q, width = len(directions), P or H
    x = numbers.floats(B, T, I)
    wi, wh = numbers.floats(Q, gates * H, I), numbers.floats(Q, gates * H, width)
    bi, bh = (numbers.floats(Q, gates * H), numbers.floats(Q, gates * H)) if biases else (None, None)
    projection = numbers.floats(Q, P, H) if P else None
    h0 = numbers.floats(Q, B, width) if states else None
    c0 = numbers.floats(Q, B, H) if states and op == "lstm" else None
    counts = Tensor((B,), lengths) if lengths else None

    any3, any2 = f"?x?x?x{element}", f"?x?x{element}"
    inputs = [("x", any3, x), ("wi", any3, wi), ("wh", any3, wh)]
    text = f"sesame.{op} %x, %wi, %wh"
    for keyword, key, type, value in [("input_bias", "bi", any2, bi), ("recurrent_bias", "bh", any2, bh),
                                      ("projection", "p", any3, projection), ("hidden", "h0", any3, h0), ("cell", "c0", any3, c0),
                                      ("lengths", "n", lengths_type, counts)]:
        if value is not None:
            inputs.append((key, type, value))
            text += f" {keyword}(%{key} : tensor<{type}>)"
    order = f"activation = {attributes} direction = {direction}" if op == "rnn" else f"direction = {direction} {attributes}"
    results = ["%y", "%h"] + (["%c"] if op == "lstm" else [])
    types = ", ".join(f"tensor<{any3}>" for _ in results)
    text = f"  {', '.join(results)} = {text} {order} : tensor<{any3}>, tensor<{any3}>, tensor<{any3}> -> {types}"
    weights = [Weights(q, wi, wh, bi, bh, projection) for q in range(Q)]
    expected = recurrence(x, directions, weights, lengths, h0, c0, width, H if op == "lstm" else 0, cell)
    cases.append(Case(name, inputs, text, [(result, any3, tensor) for result, tensor in zip(results, expected)], **tolerance))


def add_rnn(name, direction, activation="tanh", **options):
    function = {"tanh": math.tanh, "relu": lambda x: max(x, 0.0)}[activation]
    add(name, "rnn", direction, 1, lambda w, x, h, c: rnn_cell(w, x, h, c, function), activation, **options)


def add_lstm(name, direction, cell_clip=None, projection_clip=None, **options):
    attributes = f"cell_clip = {cell_clip} " if cell_clip else ""
    attributes += f"projection_clip = {projection_clip}" if projection_clip else ""
    add(name, "lstm", direction, 4, lambda w, x, h, c: lstm_cell(w, x, h, c, cell_clip, projection_clip), attributes, **options)


def add_gru(name, direction, reset_before=False, **options):
    add(name, "gru", direction, 3, lambda w, x, h, c: gru_cell(w, x, h, c, reset_before), "reset_before" if reset_before else "",
        **options)


ragged = [3, 0, 2]
add_rnn("rnn_tanh_forward", "forward")
add_rnn("rnn_relu_reverse", "reverse", activation="relu", biases=False)
add_rnn("rnn_bidirectional_lengths", "bidirectional", lengths=ragged, states=True)
add_rnn("rnn_reverse_lengths", "reverse", lengths=[5, 1, 4], lengths_type="?xi32")
add_lstm("lstm_forward", "forward")
add_lstm("lstm_bidirectional", "bidirectional", states=True)
add_lstm("lstm_bidirectional_lengths_projection", "bidirectional", lengths=ragged, states=True, P=2)
add_lstm("lstm_clips", "forward", cell_clip=0.5, projection_clip=0.25, P=3, states=True)
add_lstm("lstm_reverse_without_biases", "reverse", biases=False, cell_clip=0.375)
add_lstm("lstm_half", "bidirectional", lengths=ragged, states=True, element="f16", rtol=2e-3, atol=5e-4)
add_gru("gru_forward", "forward")
add_gru("gru_bidirectional_lengths", "bidirectional", lengths=ragged, states=True)
add_gru("gru_reset_before", "reverse", reset_before=True, states=True)
add_gru("gru_reset_before_lengths", "bidirectional", reset_before=True, lengths=[1, 5, 0], biases=False)

main(cases)
