"""Runs a command in which no file may grow beyond N bytes, and prints its exit status last: limit-files.py N COMMAND..."""
import resource
import signal
import subprocess
import sys


def limit():
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # write() fails with EFBIG instead


status = subprocess.run(sys.argv[2:], preexec_fn=limit).returncode
sys.stdout.flush()
print("exit", status)
sys.exit(status)
