#!/usr/bin/env python3
"""check_bad.py DIR: compiles every file that DIR/expect.txt names, and wants status 1 and one line with the expected words. Imports every
file that DIR/soon.txt names, and wants an end within a minute."""

import os
import subprocess
import sys

folder = sys.argv[1]
right = total = 0
for line in open(os.path.join(folder, "expect.txt")):
    name, text = line.rstrip("\n").split(": ", 1)
    total += 1
    path = os.path.join(folder, name + ".onnx")
    done = subprocess.run(["sesame", "compile", path, "-o", os.path.join(folder, "bundle")], capture_output=True, text=True)
    lines = done.stderr.splitlines()
    if done.returncode == 1 and len(lines) == 1 and path in lines[0] and text in lines[0] and not os.path.exists(os.path.join(folder, "bundle")):
        right += 1
    else:
        print(f"{name}: status {done.returncode}, wanted '{text}': {done.stderr}")
for line in open(os.path.join(folder, "soon.txt")):
    path = os.path.join(folder, line.strip() + ".onnx")
    total += 1
    done = subprocess.run(["sesame", "import", path, "-o", path + ".mlir"], capture_output=True, timeout=60)
    if done.returncode in (0, 1):
        right += 1
    else:
        print(f"{path}: status {done.returncode}")
print(f"{right} of {total} as expected")
sys.exit(right != total)
