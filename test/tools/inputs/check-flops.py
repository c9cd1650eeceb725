"""Compares the flops that `sesame inspect --json` (standard input) gives for a GPT-2 with a count by hand: check-flops.py CONFIG

Matrix products and attention only: the rest is less than a twentieth of it in so small a model, and must not be negative.
"""
import json
import sys

config = json.load(open(sys.argv[1], encoding="utf-8"))
layers, width, vocabulary = config["n_layer"], config["n_embd"], config["vocab_size"]
inner = config.get("n_inner") or 4 * width


def value(polynomial, **extents):
    total = 0.0
    for term in polynomial.replace(" - ", " + -").split(" + "):
        product = 1.0
        for factor in term.split():
            product *= extents[factor] if factor in extents else -extents[factor[1:]] if factor[1:] in extents else float(factor)
        total += product
    return total


def expected(rows, queries, keys, head_rows):
    products = layers * 2 * (width * 3 * width + width * width + 2 * width * inner)
    return rows * queries * (products + layers * 4 * keys * width) + rows * head_rows * 2 * width * vocabulary


entries = {entry["name"]: entry["flops"] for entry in json.load(sys.stdin)["entries"]}
for name, queries, keys, head_rows in [("forward", 50, 50, 50), ("decode", 1, 50, 1)]:
    got, products = value(entries[name], B=3, S=queries, T=keys, C=64), expected(3, queries, keys, head_rows)
    assert products <= got <= 1.2 * products, (name, got, products)
print("forward and decode as counted")
