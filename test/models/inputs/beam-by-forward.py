"""beam-by-forward.py BUNDLE WORK BEAMS STEPS IDS...: beam search of an encoder-decoder with a source of its own length for each IDS, once by
`sesame generate` and once in plain words: every step runs `forward` on the whole of each hypothesis, so there is no state, cache or order
of rows to go wrong. Sequences have STEPS tokens (no end token). Compares the ids."""
import math
import os
import struct
import subprocess
import sys

from bundle_calls import Tensor, run

bundle, work, beams, steps, *sources = sys.argv[1:]
beams, steps = int(beams), int(steps)
os.makedirs(work, exist_ok=True)
start = 1


def numbers(rows):
    return Tensor("i64", [len(rows), len(rows[0])], struct.pack(f"<{len(rows) * len(rows[0])}q", *sum(rows, [])))


def log_probabilities(source, hypotheses):
    """Of the token that comes next, for each hypothesis."""
    count = len(hypotheses)
    lengths = Tensor("i64", [count], struct.pack(f"<{count}q", *[len(source)] * count))
    logits = run(bundle, work, {"input_ids": numbers([source] * count), "lengths": lengths,
                                "decoder_input_ids": numbers(hypotheses)})["logits"]
    columns, last = logits.shape[2], logits.part(1, logits.shape[1] - 1, logits.shape[1])
    for row in range(count):
        values = struct.unpack(f"<{columns}f", last.part(0, row, row + 1).data)
        most = max(values)
        total = most + math.log(sum(math.exp(value - most) for value in values))
        yield [value - total for value in values]


def search(source):
    hypotheses = [(0.0, [start])]
    for _ in range(steps):
        longer = [(score + gain, ids + [token])
                  for (score, ids), gains in zip(hypotheses, log_probabilities(source, [ids for _, ids in hypotheses]))
                  for token, gain in enumerate(gains)]
        hypotheses = sorted(longer, key=lambda hypothesis: -hypothesis[0])[:beams]
    return ",".join(map(str, hypotheses[0][1][1:]))


command = ["sesame", "generate", bundle, "--print-ids", "--beams", str(beams), "--max-new-tokens", str(steps), "--eos-token-id", "none",
           "--decoder-start-token-id", str(start)]
for source in sources:
    command += ["--ids", source]
found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
expected = [search([int(token) for token in source.split(",")]) for source in sources]
if found != expected:
    sys.exit(f"{bundle}: beam search gives {found}, expected {expected}")
if len(set(expected)) != len(expected):
    sys.exit(f"{bundle}: all sources give the same, so this shows nothing")
print("same ids")
