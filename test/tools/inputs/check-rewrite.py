"""check-rewrite.py BUNDLE SOURCES GENERATE... -- COMMAND...: runs `sesame COMMAND... BUNDLE` and `sesame generate --ids SOURCE --print-ids GENERATE...`
for each of SOURCES (ids with commas, sources with semicolons between them), and compares the text with the words of the ids."""
import json
import os
import subprocess
import sys

bundle, sources = sys.argv[1:3]
middle = sys.argv.index("--")
settings, command = sys.argv[3:middle], sys.argv[middle + 1:]


def run(*arguments):
    result = subprocess.run(["sesame", *arguments], capture_output=True, text=True)
    assert result.returncode == 0, result
    return result.stdout


tokenizer = json.load(open(os.path.join(bundle, "tokenizer.json")))
words = {i: word for word, i in tokenizer["model"]["vocab"].items()}
special = {token["id"] for token in tokenizer["added_tokens"]}
expected = ""
for source in sources.split(";"):
    if source:
        for line in run("generate", bundle, "--ids", source, "--print-ids", *settings).splitlines():
            expected += " ".join(words[int(i)] for i in line.split(",") if int(i) not in special)
            expected += "\n"
    else:
        expected += "\n"
found = run(command[0], bundle, *command[1:])
assert expected.strip(), expected
if found != expected:
    sys.exit(f"expected {expected!r}, found {found!r}")
print("ok")
