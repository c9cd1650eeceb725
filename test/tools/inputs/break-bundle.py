"""Damages copies of a bundle in one way each, and prints what `sesame bench` says of them: break-bundle.py BUNDLE SCRATCH"""
import json
import os
import shutil
import subprocess
import sys

good, scratch = sys.argv[1:3]


def manifest(path, change):
    with open(f"{path}/manifest.json", encoding="utf-8") as file:
        value = json.load(file)
    change(value)
    with open(f"{path}/manifest.json", "w", encoding="utf-8") as file:
        json.dump(value, file)


def cut(path, part):
    os.truncate(path, int(os.path.getsize(path) * part))


def alter_header(path):
    with open(path, "r+b") as file:
        header = bytearray(file.read(200))
        at = header.index(b'"dtype"')
        header[at - 5 : at - 4] = b"#"
        file.seek(0)
        file.write(header)


breaks = {
    "version": lambda p: manifest(p, lambda m: m.update(sesame_bundle=99)),
    "feature": lambda p: manifest(p, lambda m: m["target"].update(features=["amx-fp64"])),
    "triple": lambda p: manifest(p, lambda m: m["target"].update(triple="riscv64-unknown-linux-gnu")),
    "no-code": lambda p: os.remove(f"{p}/model.so"),
    "no-weights": lambda p: os.remove(f"{p}/weights.safetensors"),
    "no-manifest": lambda p: os.remove(f"{p}/manifest.json"),
    "short-weights": lambda p: cut(f"{p}/weights.safetensors", 0.9),
    "other-weights": lambda p: alter_header(f"{p}/weights.safetensors"),
    "short-code": lambda p: cut(f"{p}/model.so", 0.5),
    "no-json": lambda p: cut(f"{p}/manifest.json", 0.5),
    "no-entry": lambda p: manifest(p, lambda m: m["entries"][0].update(name="other")),
    "good": lambda p: None,
}
for name, damage in breaks.items():
    path = f"{scratch}/{name}.bundle"
    shutil.copytree(good, path)
    damage(path)
    command = ["sesame", "bench", path, "--prompt-tokens", "4", "--new-tokens", "2", "--repeat", "1"]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = done.stderr.splitlines() or [""]
    print(f"{name}: status {done.returncode}: {lines[0]}" + (f" AND {len(lines) - 1} MORE LINES" if len(lines) > 1 else ""))
