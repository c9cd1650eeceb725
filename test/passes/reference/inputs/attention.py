"""Cases for sesame.attention, sesame.rotary and sesame.cache_append."""

import math

from numeric import Case, Numbers, Tensor, main, tabulate


def attention(q, k, v, scale, mask=None, bias=None, causal=False, window=None, softcap=None):
    (B, H, S, D), (_, G, T, _), E = q.shape, k.shape, v.shape[3]

    def at(tensor, *index):
        return tensor[tuple(0 if extent == 1 else i for i, extent in zip(index, tensor.shape))]

    def row(b, h, s):
        g = h // (H // G)
        weights = []
        for t in range(T):
            score = scale * sum(q[b, h, s, d] * k[b, g, t, d] for d in range(D))
            if softcap:
                score = softcap * math.tanh(score / softcap)
            if bias:
                score += at(bias, b, h, s, t)
            seen = not causal or t <= s + T - S
            seen = seen and (not window or t > s + T - S - window)
            if mask:
                seen = seen and (at(mask, b, t) if len(mask.shape) == 2 else at(mask, b, s, t)) != 0
            weights.append(score if seen else None)
        largest = max((w for w in weights if w is not None), default=None)
        weights = [0.0 if w is None else math.exp(w - largest) for w in weights]
        total = sum(weights)
        return [sum(weights[t] * v[b, g, t, e] for t in range(T)) / total if total else 0.0 for e in range(E)]

    return Tensor((B, H, S, E), [x for b in range(B) for h in range(H) for s in range(S) for x in row(b, h, s)])


cases = []


def add_attention(name, B, H, G, S, T, D, E, declared="?x?x?x?", element="f32", mask=None, mask_type=None, bias=None,
                  bias_type=None, causal=False, window=None, softcap=None, scale=0.625, **tolerance):
    numbers = Numbers(len(cases) + 1)
    q, k, v = numbers.floats(B, H, S, D), numbers.floats(B, G, T, D), numbers.floats(B, G, T, E)
    inputs = [("q", f"{declared}x{element}", q), ("k", f"{declared}x{element}", k), ("v", f"{declared}x{element}", v)]
    text = "  %o = sesame.attention %q, %k, %v"
    if mask:
        inputs.append(("m", mask_type, mask))
        text += f" mask(%m : tensor<{mask_type}>)"
    if bias:
        bias = numbers.floats(*bias)
        inputs.append(("a", bias_type, bias))
        text += f" bias(%a : tensor<{bias_type}>)"
    text += " causal" if causal else ""
    text += f" window = {window}" if window else ""
    text += f" scale = {scale}" + (f" softcap = {softcap}" if softcap else "")
    types = ", ".join(f"tensor<{declared}x{element}>" for _ in range(3))
    text += f" : {types} -> tensor<{declared}x{element}>"
    expected = attention(q, k, v, scale, mask, bias, causal, window, softcap)
    cases.append(Case(name, inputs, text, [("%o", f"{declared}x{element}", expected)], **tolerance))


sizes = dict(B=2, H=6, G=2, S=3, T=5, D=4, E=7)
# Row 0 hides some keys, row 1 all of them.
rows = Tensor((2, 5), [0, 1, 1, 0, 3, 0, 0, 0, 0, 0])
add_attention("grouped_heads", **sizes)
add_attention("causal_is_aligned_to_the_last_key", causal=True, **sizes)
add_attention("window", causal=True, window=2, **sizes)
add_attention("queries_before_the_first_key_give_zero", B=1, H=2, G=1, S=5, T=3, D=2, E=3, causal=True)
add_attention("masked_row_gives_zero", mask=rows, mask_type="?x?xi64", **sizes)
add_attention("mask_of_queries", mask=tabulate((2, 3, 5), lambda b, s, t: (b + s * t) % 3), mask_type="?x?x?xi8", **sizes)
add_attention("static_mask_of_all_rows", mask=Tensor((1, 5), [1, 0, 1, 1, 0]), mask_type="1x?xi32", causal=True, **sizes)
add_attention("dynamic_mask_of_all_rows", mask=Tensor((1, 5), [1, 0, 1, 1, 0]), mask_type="?x?xi32", **sizes)
add_attention("bias_of_all_heads", bias=(2, 1, 3, 5), bias_type="?x1x?x?xf32", **sizes)
add_attention("bias_of_all_rows_and_queries", bias=(1, 6, 1, 5), bias_type="1x6x?x?xf32", softcap=1.5, **sizes)
add_attention("no_keys_give_zero", B=1, H=2, G=2, S=3, T=0, D=2, E=3)
add_attention("half", element="f16", rtol=1e-3, atol=1e-4, causal=True, **sizes)
add_attention("bfloat", element="bf16", rtol=8e-3, atol=1e-3, causal=True, mask=rows, mask_type="?x?xi64", **sizes)


def rotary(x, positions, frequencies, interleaved=False, scale=1.0):
    pairs = frequencies.shape[0]

    def element(b, h, s, d):
        if d >= 2 * pairs:
            return x[b, h, s, d]
        i = d // 2 if interleaved else d % pairs
        first, second = (2 * i, 2 * i + 1) if interleaved else (i, i + pairs)
        angle = positions[0 if positions.shape[0] == 1 else b, s] * frequencies[i]
        if d == first:
            return scale * (x[b, h, s, first] * math.cos(angle) - x[b, h, s, second] * math.sin(angle))
        return scale * (x[b, h, s, first] * math.sin(angle) + x[b, h, s, second] * math.cos(angle))

    return tabulate(x.shape, element)


def add_rotary(name, features, pairs, rows, interleaved=False, scale=None, element="f32", **tolerance):
    numbers = Numbers(len(cases) + 1)
    x = numbers.floats(2, 3, 5, features)
    positions = tabulate((rows, 5), lambda b, s: 7 * b + 2 * s)
    frequencies = tabulate((pairs,), lambda i: 0.5**i)
    type = f"?x?x?x?x{element}"
    text = "  %r = sesame.rotary %x, %p, %f" + (" interleaved" if interleaved else "")
    text += (f" scale = {scale}" if scale else "") + f" : tensor<{type}>, tensor<?x?xi64>, tensor<?xf32>"
    expected = rotary(x, positions, frequencies, interleaved, scale or 1.0)
    inputs = [("x", type, x), ("p", "?x?xi64", positions), ("f", "?xf32", frequencies)]
    cases.append(Case(name, inputs, text, [("%r", type, expected)], **tolerance))


add_rotary("rotary_halves", features=6, pairs=3, rows=2)
add_rotary("rotary_of_the_first_features", features=7, pairs=2, rows=1, scale=0.5)
add_rotary("rotary_interleaved", features=7, pairs=3, rows=2, interleaved=True)
add_rotary("rotary_of_no_feature", features=3, pairs=0, rows=1, scale=0.5)
add_rotary("rotary_half", features=6, pairs=3, rows=2, element="f16", rtol=1e-3, atol=1e-4)

numbers = Numbers(99)
cache, source = numbers.floats(3, 2, 2, 5, 4), numbers.floats(2, 2, 2, 4)
appended = tabulate(cache.shape, lambda l, b, g, c, d: source[b, g, c - 1, d] if l == 2 and 1 <= c < 3 else cache[l, b, g, c, d])
cases.append(Case(
    "cache_append", [("c", "3x?x2x?x4xf32", cache), ("s", "?x2x?x4xf32", source)],
    """  %layer = arith.constant 2 : index
  %position = arith.constant 1 : index
  %r = sesame.cache_append %s into %c[%layer] at %position : tensor<?x2x?x4xf32> into tensor<3x?x2x?x4xf32>""",
    [("%r", "3x?x2x?x4xf32", appended)]))

main(cases)
