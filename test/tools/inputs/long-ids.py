"""Prints N token ids."""
import sys

print(",".join(str(i % 50) for i in range(int(sys.argv[1]))))
