"""Compares what `sesame perplexity --json` says (standard input) with a recorded golden.json: check-perplexity.py GOLDEN SPLIT [TOLERANCE]

TOLERANCE is relative, 0.001 unless given."""
import json
import sys

got = json.load(sys.stdin)
expected = json.load(open(sys.argv[1], encoding="utf-8"))[sys.argv[2]]
for key, name, tolerance in [("tokens", "tokens", 0), ("scored", "scored", 0), ("perplexity", "perplexity", float(sys.argv[3]) if len(sys.argv) > 3 else 1e-3)]:
    if abs(got[name] - expected[key]) > tolerance * expected[key]:
        sys.exit(f"{sys.argv[2]}: got {name} {got[name]}, expected {expected[key]}")
print(f"{sys.argv[2]}: {got['scored']} tokens scored, perplexity as recorded")
