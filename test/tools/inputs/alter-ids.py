"""Prints a golden.json of generation with one id changed."""
import json
import sys

golden = json.load(open(sys.argv[1], encoding="utf-8"))
golden["greedy"][0]["ids"][20] ^= 1
json.dump(golden, sys.stdout)
