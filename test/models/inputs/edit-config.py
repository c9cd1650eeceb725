"""Copies a checkpoint with other options: edit-config.py FROM TO KEY=JSON..."""
import json
import os
import shutil
import sys

source, target = sys.argv[1:3]
shutil.copytree(source, target, dirs_exist_ok=True)
path = os.path.join(target, "config.json")
config = json.load(open(path, encoding="utf-8"))
for argument in sys.argv[3:]:
    key, value = argument.split("=", 1)
    config[key] = json.loads(value)
with open(path, "w", encoding="utf-8") as out:
    json.dump(config, out, indent=2)
