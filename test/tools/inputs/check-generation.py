"""Compares `sesame generate` with a recorded golden.json: check-generation.py BUNDLE GOLDEN. Ids and texts must be equal."""
import json
import subprocess
import sys

bundle, golden = sys.argv[1], json.load(open(sys.argv[2], encoding="utf-8"))


def generate(case, *arguments):
    new = len(case["ids"])
    command = ["sesame", "generate", bundle, "--prompt", case["prompt"], "--max-new-tokens", str(new), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"prompt {case['prompt']!r}: {done.stderr}")
    return done.stdout


def check(case, *arguments):
    ids = [int(id) for id in generate(case, *arguments, "--print-ids").split(",")]
    if ids != case["ids"]:
        sys.exit(f"prompt {case['prompt']!r}: got ids {ids}, expected {case['ids']}")
    text = generate(case, *arguments)
    if text != case["text"] + "\n":
        sys.exit(f"prompt {case['prompt']!r}: got text {text!r}, expected {case['text']!r}")


for case in golden["greedy"]:
    check(case)
for case in golden.get("beam", []):
    check(case, "--beams", str(case["num_beams"]), "--length-penalty", str(case["length_penalty"]))
print(len(golden["greedy"]) + len(golden.get("beam", [])), "prompts as recorded")
