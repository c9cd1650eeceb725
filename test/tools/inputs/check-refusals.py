"""Compiles every case of a folder of broken checkpoints: check-refusals.py CASES SCRATCH. CASES/expect.json says what to mention."""
import json
import os
import subprocess
import sys

cases, scratch = sys.argv[1:3]
expect = json.load(open(f"{cases}/expect.json", encoding="utf-8"))
before = sorted(os.listdir(scratch))
wrong = []
for case, facts in expect.items():
    done = subprocess.run(["sesame", "compile", f"{cases}/{case}", "-o", f"{scratch}/{case}.bundle"], capture_output=True, text=True, timeout=60)
    lines = done.stderr.splitlines()
    if done.returncode != 1:
        wrong.append(f"{case}: status {done.returncode}, {done.stderr!r}")
    if len(lines) != 1 or not lines[0].startswith("sesame: error: ") or done.stdout:
        wrong.append(f"{case}: expected one line, got {done.stdout + done.stderr!r}")
    wrong += [f"{case}: {word!r} is not in {done.stderr!r}" for word in facts["message_should_mention"] if word not in done.stderr]
    left = sorted(set(os.listdir(scratch)) - set(before))
    if left:
        wrong.append(f"{case}: left {left}")
        before += left
print("\n".join(wrong) if wrong else f"{len(expect)} of {len(expect)} refused")
sys.exit(bool(wrong))
