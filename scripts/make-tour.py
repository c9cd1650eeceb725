#!/usr/bin/env python3
"""Writes docs/tour.md from scripts/tour.template.md and the IR of one small model.

usage: make-tour.py SESAME MODEL [--check FILE]     prints the page, or compares it with FILE and fails if they differ

A line `@ir STAGE /FROM/ /TO/ [N]` of the template becomes a block with the lines of that stage's dump from the first that matches
FROM to the next that matches TO, both included, at most N (default 30) of them. `@sh ARGUMENTS` becomes what `sesame ARGUMENTS` prints
(MODEL stands for the checkpoint). The target is fixed, so the page is the same on every machine.
"""
import argparse
import difflib
import os
import re
import subprocess
import sys
import tempfile

WIDTH = 150


def cut(lines, most):
    """At most `most` lines of at most WIDTH columns, without their common indent."""
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    lines = [line[indent:].rstrip() for line in lines]
    lines = [line if len(line) <= WIDTH else line[: WIDTH - 4] + " ..." for line in lines]
    if len(lines) > most:
        lines = lines[: most - 1] + [f"... {len(lines) - most + 1} more lines"]
    return lines


def select(text, start, end, most):
    lines = text.split("\n")
    first = next((i for i, line in enumerate(lines) if re.search(start, line)), None)
    if first is None:
        sys.exit(f"no line matches /{start}/")
    last = next((i for i in range(first, len(lines)) if re.search(end, lines[i])), None)
    if last is None:
        sys.exit(f"no line after /{start}/ matches /{end}/")
    return cut(lines[first : last + 1], most)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sesame")
    parser.add_argument("model")
    parser.add_argument("--check", metavar="FILE")
    args = parser.parse_args()
    with open(os.path.join(os.path.dirname(__file__), "tour.template.md"), encoding="utf-8") as file:
        template = file.read().split("\n")

    page = []
    with tempfile.TemporaryDirectory() as scratch:
        dumps = os.path.join(scratch, "ir")
        command = [args.sesame, "compile", args.model, "-o", os.path.join(scratch, "bundle"), "--target", "x86-64-v3", "--dump-dir", dumps]
        subprocess.run(command, check=True)
        stages = {re.sub(r"^\d+-|\.mlir$", "", name): os.path.join(dumps, name) for name in os.listdir(dumps)}
        for line in template:
            ir = re.fullmatch(r"@ir (\S+) /(.*)/ /(.*)/(?: (\d+))?", line)
            shell = re.fullmatch(r"@sh (.*)", line)
            if ir:
                with open(stages[ir.group(1)], encoding="utf-8") as file:
                    page += ["```mlir", *select(file.read(), ir.group(2), ir.group(3), int(ir.group(4) or 30)), "```"]
            elif shell:
                words = [args.model if word == "MODEL" else os.path.join(scratch, "bundle") if word == "BUNDLE" else word
                         for word in shell.group(1).split()]
                done = subprocess.run([args.sesame, *words], check=True, capture_output=True, text=True)
                page += ["```", *cut(done.stdout.rstrip("\n").split("\n"), 40), "```"]
            else:
                page.append(line)
    text = "\n".join(page)

    if not args.check:
        print(text, end="")
        return
    with open(args.check, encoding="utf-8") as file:
        old = file.read()
    difference = list(difflib.unified_diff(old.split("\n"), text.split("\n"), args.check, "as it is now", lineterm=""))
    if difference:
        sys.exit("\n".join(difference[:40]) + f"\n{args.check} is out of date: run 'make tour'")


if __name__ == "__main__":
    main()
