"""Reads `llvm-objdump -d --no-show-raw-insn` of x86-64 code; fails if the innermost loops that make products spill vectors.

usage: check-hot-loops.py INSTRUCTION REGISTER LEAST < disassembly

A loop that makes products holds at least LEAST times INSTRUCTION (vfmadd231ps) on REGISTER (zmm) and no other loop. Spilled are vectors that move
between a register and a fixed place of the stack: data on the stack (scores of attention) is read through an index. Prints how many such loops
there are; there must be one.
"""

import re
import sys

instruction, register, least = sys.argv[1], "%" + sys.argv[2], int(sys.argv[3])
code = []  # (address, text)
for line in sys.stdin:
    match = re.match(r"\s*([0-9a-f]+):\s+(.*\S)", line)
    if match:
        code.append((int(match[1], 16), match[2]))
places = {address: place for place, (address, _) in enumerate(code)}

loops = []  # (first, last) instruction
for place, (address, text) in enumerate(code):
    jump = re.match(r"j\w+\s+(?:0x)?([0-9a-f]+)\b", text)
    if jump and int(jump[1], 16) <= address and int(jump[1], 16) in places:
        loops.append((places[int(jump[1], 16)], place))
innermost = [(first, last) for first, last in loops
             if not any((first, last) != (a, b) and first <= a and b <= last for a, b in loops)]

found = 0
spills = []
for first, last in innermost:
    body = [text for _, text in code[first:last + 1]]
    if sum(text.startswith(instruction + " ") or text.startswith(instruction + "\t") for text in body
           if register in text) < least:
        continue
    found += 1
    spills += [text for text in body if re.search(r"\d*\(%rsp\)", text) and re.search(r"%[xyz]mm\d", text)]
print(f"{found} loops of {instruction} on {register[1:]}")
for text in spills:
    print("spilled: " + " ".join(text.split()))
sys.exit(bool(spills) or not found)
