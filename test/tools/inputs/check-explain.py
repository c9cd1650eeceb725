"""Prints of `sesame compile --explain --json` what does not depend on the machine, and checks that the rest is sensible."""

import json
import sys

report = json.load(sys.stdin)
assert report["optimisations"] and all(isinstance(line, str) for line in report["optimisations"])
for phase in report["phases"]:
    dims = " ".join(f"{name}={value}" for name, value in sorted(phase["dims"].items()))
    measured = "measured" if phase["measured_seconds"] > 0 else "not measured"
    print(f"{phase['entry']}, {phase['phase']}: {dims}, {measured}")
    for operation in phase["operations"]:
        assert operation["roofline_seconds"] > 0 and operation["bound"] in ("compute", "memory")
        # None for what has no parallel loop: its time is in that of the call.
        assert operation.get("measured_seconds", 0) <= phase["measured_seconds"] * 2
        if operation["name"] == "h.attn.c_attn.weight":
            kind = operation["kind"].removeprefix("sesame.")
            print(f"{operation['name']}: {kind}, {operation['calls']:.0f} calls, {operation['flops']:.0f} flops, "
                  f"{operation['weight_bytes']:.0f} bytes of weights")
rates = report["rates"]
assert min(rates[name] for name in ("f32_flops", "bf16_flops", "int8_ops", "memory_bytes", "cache_bytes")) > 0
print("rates", "measured" if rates["measured"] else "nominal", rates["threads"], "threads")
