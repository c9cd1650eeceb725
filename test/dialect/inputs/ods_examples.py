"""Prints the ```mlir examples of the given .td files as one input for `sesame-opt --split-input-file`."""

import re
import sys

examples = []
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    definitions = re.split(r"^(?=def )", text, flags=re.M)
    for definition in definitions:
        operation = re.match(r'def \w+ : Sesame_\w*Op<"(\w+)"', definition)
        found = re.findall(r"```mlir\n(.*?)```", definition, flags=re.S)
        # `yield` alone has no example: it is in every weight's.
        if operation and not found and operation.group(1) != "yield":
            sys.exit(f"{path}: op '{operation.group(1)}' has no example")
        if operation:
            examples += [f"// {operation.group(1)}\n{example}" for example in found]
if not examples:
    sys.exit("no example found")
print("\n// -----\n".join(examples))
