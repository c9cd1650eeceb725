#!/usr/bin/env python3
"""Writes docs/models.md: every recorded checkpoint of test/fixtures/models, compiled and compared with its golden.

usage: make-models.py SESAME FIXTURES [--check FILE]

Prints the page. With --check nothing is compiled: fails unless FILE has a row for every fixture that has a test in test/models, and no other.
"""
import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile

HEAD = """# Models

Made by `make models`: every checkpoint under `test/fixtures/models` (random weights in odd sizes, outputs recorded with the reference
implementation in f32) was compiled for this machine and compared call by call, with 2 threads. *Error* is the largest difference of a
floating-point output; ids of greedy and beam search have to be equal. Sizes and options other than the recorded ones are read from
`config.json`; a value that Sesame does not know is refused by name.

| model type | class | checkpoint | task | calls | error |
| --- | --- | --- | --- | --- | --- |
"""


def fixtures(folder):
    """Names of the checkpoints that have recorded calls and a test."""
    tests = os.path.join(os.path.dirname(os.path.dirname(folder)), "models")
    names = []
    for name in sorted(os.listdir(folder)):
        golden = os.path.join(folder, name, "golden.json")
        if os.path.exists(golden) and os.path.exists(os.path.join(tests, name + ".test")):
            with open(golden) as file:
                if "calls" in json.load(file):
                    names.append(name)
    return names


def row(sesame, folder, name):
    checkpoint = os.path.join(folder, name)
    with tempfile.TemporaryDirectory() as scratch:
        bundle = os.path.join(scratch, "bundle")
        compiled = subprocess.run([sesame, "compile", checkpoint, "-o", bundle], capture_output=True, text=True)
        if compiled.returncode:
            sys.exit(f"{name}: {compiled.stderr.strip()}")
        with open(os.path.join(bundle, "manifest.json")) as file:
            model = json.load(file)["model"]
        checked = subprocess.run([sesame, "check", bundle, checkpoint, "--threads", "2"], capture_output=True, text=True)
        if checked.returncode:
            sys.exit(f"{name}: {checked.stderr.strip()}")
    errors = [float(value) for value in re.findall(r"max error (\S+) .*f32\[", checked.stdout)]
    calls = re.search(r"(\d+) of \d+ calls? agree", checked.stdout).group(1)
    print(f"{name}: {calls} calls", file=sys.stderr)
    error = f"{max(errors):.1e}" if errors else "-"
    return (model["model_type"], model["architecture"], name, model["task"], calls, error)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sesame")
    parser.add_argument("fixtures")
    parser.add_argument("--check", metavar="FILE")
    arguments = parser.parse_args()
    folder = os.path.normpath(arguments.fixtures)
    names = fixtures(folder)
    if arguments.check:
        with open(arguments.check) as file:
            listed = [line.split("|")[3].strip() for line in file if line.startswith("| ") and "---" not in line][1:]
        if sorted(listed) != names:
            odd = ", ".join(sorted(set(listed) ^ set(names)))
            sys.exit(f"{arguments.check} is out of date: run 'make models' ({odd})")
        return
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = sorted(pool.map(lambda name: row(arguments.sesame, folder, name), names))
    print(HEAD + "\n".join("| " + " | ".join(cells) + " |" for cells in rows))


if __name__ == "__main__":
    main()
