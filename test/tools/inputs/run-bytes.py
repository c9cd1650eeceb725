"""Runs a command whose arguments may hold any byte, written \\xNN; prints its exit status last."""
import os
import subprocess
import sys

command = [os.fsencode(argument).decode("unicode_escape").encode("latin-1") for argument in sys.argv[1:]]
status = subprocess.run(command).returncode
sys.stdout.flush()
print("exit", status)
