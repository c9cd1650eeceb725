"""Compares `sesame answer` with recorded answers: beam-answers.py BUNDLE ANSWERS"""
import json
import math
import subprocess
import sys

bundle, recorded = sys.argv[1:]
cases = json.load(open(recorded))
for case in cases:
    command = ["sesame", "answer", bundle, "--question", case["question"], "--context", case["context"], "--window", str(case["window"]),
               "--overlap", str(case["overlap"]), "--max-answer-tokens", str(case["longest"]), "--top-k", "20", "--json", "--threads", "1"]
    answers = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    where = f"{case['question']} ({case['windows']} windows)"
    assert [each["answer"] for each in answers] == [each["answer"] for each in case["answers"]], f"{where}: got {answers}, expected {case['answers']}"
    for got, expected in zip(answers, case["answers"]):
        assert abs(got["score"] - expected["score"]) < 1e-6, f"{where}: got {got}, expected {expected}"
        assert case["context"][got["start"] : got["end"]] == got["answer"], f"{where}: {got} is not where it is said to be"
    # "No answer" goes first if that is more likely than not, else last.
    answers = json.loads(subprocess.run([*command, "--no-answer"], capture_output=True, text=True, check=True).stdout)
    odds = case["no_answer_log_odds"]
    place = 0 if odds > 0 else -1
    assert answers[place]["answer"] == "" and abs(answers[place]["score"] - 1 / (1 + math.exp(-odds))) < 1e-5, f"{where}: {answers}"
assert any(case["windows"] > 1 for case in cases)
print(f"{len(cases)} questions as recorded")
