"""Adds one to the last id of the line for "Hello world" in the golden.jsonl that the argument names."""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    lines = [json.loads(line) for line in file]
for line in lines:
    if line["text"] == "Hello world" and "ids" in line:
        line["ids"][-1] += 1
with open(sys.argv[1], "w", encoding="utf-8") as file:
    file.writelines(json.dumps(line) + "\n" for line in lines)
