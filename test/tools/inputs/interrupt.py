"""Starts a command, sends it a signal as soon as DIRECTORY holds something (a bundle being written), and lists what is left there:
interrupt.py SIGNAL DIRECTORY COMMAND..."""
import os
import signal
import subprocess
import sys
import time

number, directory = getattr(signal, sys.argv[1]), sys.argv[2]
process = subprocess.Popen(sys.argv[3:], stderr=subprocess.PIPE, text=True)
weights = lambda: [p for d in os.listdir(directory) if ".partial" in d for p in os.listdir(os.path.join(directory, d)) if p.startswith("weights")]
deadline = time.time() + 120
while process.poll() is None and time.time() < deadline:
    try:
        if weights():
            break
    except FileNotFoundError:
        pass
    time.sleep(0.001)
caught = process.poll() is None
process.send_signal(number)
_, errors = process.communicate(timeout=60)
print("caught with a partial bundle" if caught else "too late: it had ended")
print(errors, end="")
print("left:", os.listdir(directory))
sys.exit(process.returncode != 128 + number)
