"""Checks the innermost loops of kernels in the output of `llvm-objdump -d`.

usage: check-hot-loops.py DISASSEMBLY zmm|ymm FUNCTION=ACCUMULATORS[:INSTRUCTION]...

INSTRUCTION is vfmadd231ps unless it is given. Each FUNCTION must have an innermost loop that adds products to at least ACCUMULATORS registers of the kind, and no innermost loop that does so may
move such a register to or from a fixed place on the stack.
"""

import re
import sys


def functions(path):
    """Yields (name, [(address, instruction)])."""
    name, body = None, []
    with open(path) as lines:
        for line in lines:
            header = re.match(r"^[0-9a-f]+ <(.+)>:$", line)
            if header:
                if name:
                    yield name, body
                name, body = header.group(1), []
                continue
            instruction = re.match(r"^\s*([0-9a-f]+):\s+(.*)$", line)
            if instruction:
                body.append((int(instruction.group(1), 16), instruction.group(2)))
    if name:
        yield name, body


def innermost_loops(body):
    """The instructions from the target of a jump backwards to the jump, where no other loop lies within."""
    loops = []
    for address, text in body:
        jump = re.match(r"j\w+\s+0x([0-9a-f]+)", text)
        if jump and int(jump.group(1), 16) <= address:
            loops.append((int(jump.group(1), 16), address))
    for begin, end in loops:
        if not any((b, e) != (begin, end) and begin <= b and e <= end for b, e in loops):
            yield [text for address, text in body if begin <= address <= end]


def accumulators_of(loop, kind, instruction):
    """Registers that the loop writes by `instruction`, register += x * y, only."""
    summed, other = set(), set()
    for text in loop:
        operands = text.split("#")[0].split()
        if len(operands) < 2:
            continue
        destination = re.search(rf"%({kind}\d+)\S*$", text.split("#")[0].rstrip())
        if destination:
            (summed if operands[0].startswith(instruction) else other).add(destination.group(1))
    return summed - other


def main():
    path, kind = sys.argv[1:3]
    wanted = dict(argument.split("=") for argument in sys.argv[3:])
    failed = False
    seen = dict(functions(path))
    for name, accumulators in wanted.items():
        accumulators, _, instruction = accumulators.partition(":")
        instruction = instruction or "vfmadd231ps"
        most, spills = 0, 0
        for loop in innermost_loops(seen[name]):
            count = len(accumulators_of(loop, kind, instruction))
            most = max(most, count)
            if count > 1:
                spills += sum(bool(re.search(r"(?<![,\w])-?(0x[0-9a-f]+)?\(%r[sb]p\)", text)) and kind in text for text in loop)
        good = most >= int(accumulators) and spills == 0
        failed |= not good
        print(f"{name}: {most} accumulators of {instruction} in {kind}, expected {accumulators}; {spills} vectors on the stack")
    return failed


sys.exit(main())
