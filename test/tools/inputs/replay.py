"""Runs the command in the first line of each stage of a `--dump-dir` and compares: replay.py DIRECTORY FILE..."""

import shlex
import subprocess
import sys

directory = sys.argv[1]
for name in sys.argv[2:]:
    with open(f"{directory}/{name}") as file:
        command = shlex.split(file.readline().removeprefix("// "))
        expected = file.read()
    # Dumps are printed without aliases of attributes.
    run = subprocess.run(command + ["--mlir-print-local-scope"], cwd=directory, capture_output=True, text=True)
    print(f"{name}:", "the same" if run.stdout.strip() == expected.strip() else "another\n" + run.stderr)
