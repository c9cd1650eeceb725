"""For every subcommand: help names each option that completion knows, and wrong usage ends with status 2, one line and a hint."""
import re
import subprocess
import sys


def run(*arguments):
    return subprocess.run(["sesame", *arguments], capture_output=True, text=True)


script = run("completion").stdout
commands = dict(re.findall(r'^    ([a-z-]+)\) words="(.*)" ;;$', script, re.MULTILINE))
assert len(commands) >= 15, sorted(commands)
wrong = []
for command, options in commands.items():
    help_text = run(command, "--help")
    if help_text.returncode != 0 or help_text.stderr:
        wrong.append(f"{command} --help: status {help_text.returncode}")
    for option in options.split():
        if not re.search(r"(^|[\s,])" + re.escape(option) + r"($|[\s,])", help_text.stdout):
            wrong.append(f"{command} --help: does not mention {option}")
    bad = run(command, "--no-such-option")
    lines = bad.stderr.splitlines()
    if bad.returncode != 2 or bad.stdout or len(lines) != 2 or not lines[0].startswith("sesame: error: ") \
            or lines[1] != f"Run 'sesame {command} --help' for usage":
        wrong.append(f"{command} --no-such-option: status {bad.returncode}, {bad.stdout!r}, {bad.stderr!r}")
print("\n".join(wrong))
sys.exit(bool(wrong))
