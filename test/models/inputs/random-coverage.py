"""Checks that tests draw models of every type: random-coverage.py TESTS FIXTURES."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

tests, fixtures = sys.argv[1:3]
with tempfile.TemporaryDirectory() as directory:
    with open(os.path.join(directory, "config.json"), "w", encoding="utf-8") as file:
        file.write('{"model_type": "unheard-of"}')
    refusal = subprocess.run(["sesame", "import", directory], capture_output=True, text=True).stderr
known = set(re.search("expected one of (.*), got", refusal).group(1).split(", "))
drawn = set()
for test in glob.glob(os.path.join(tests, "random-*.test")):
    with open(test, encoding="utf-8") as file:
        for name in re.findall(r"%fixtures/models/(\S+)", file.read()):
            with open(os.path.join(fixtures, name, "config.json"), encoding="utf-8") as config:
                drawn.add(json.load(config)["model_type"])
if known - drawn:
    sys.exit(f"not drawn: {', '.join(sorted(known - drawn))}")
