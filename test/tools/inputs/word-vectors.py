"""word-vectors.py FIXTURES: every word's neighbours, every cosine of the first words, the analogies and the unknown words of the recorded
tables, as `sesame neighbors` and `sesame similarity` print them."""
import json
import os
import struct
import subprocess
import sys


def run(*arguments):
    return subprocess.run(["sesame", *arguments], capture_output=True)


def tensor(path, name):
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        entry = json.loads(file.read(size))[name]
        file.seek(8 + size + entry["data_offsets"][0])
        data = file.read(entry["data_offsets"][1] - entry["data_offsets"][0])
    return entry["shape"], struct.unpack(f"<{len(data) // 4}f", data)


for name in ("word2vec", "glove", "fasttext"):
    folder = os.path.join(sys.argv[1], name)
    golden = json.load(open(os.path.join(folder, "golden.json"), encoding="utf-8"))
    (count, _), cosines = tensor(os.path.join(folder, "golden.safetensors"), "table.out.cosine")
    words = golden["words"]
    for file in json.load(open(os.path.join(folder, "config.json")))["files"]:
        path = os.path.join(folder, file)
        for word, nearest in zip(words, golden["nearest"]):
            found = json.loads(run("neighbors", path, "-k", "5", "--json", "--", word).stdout)
            assert [each["word"] for each in found] == nearest, (path, word, found, nearest)
            row = words.index(word) * count
            for each in found:
                assert abs(each["cosine"] - cosines[row + words.index(each["word"])]) < 1e-5, (path, word, each)
        for i, j in ((0, 1), (3, 4), (5, 29), (9, 9)):
            found = float(run("similarity", path, words[i], words[j]).stdout)
            assert abs(found - cosines[i * count + j]) < 2e-6, (path, words[i], words[j], found)
        for analogy in golden["analogies"]:
            first, second = analogy["positive"]
            found = json.loads(run("neighbors", path, first, "--plus", second, "--minus", *analogy["negative"], "-k", "1", "--json").stdout)
            assert found[0]["word"] == analogy["best"] and abs(found[0]["cosine"] - analogy["score"]) < 1e-5, (path, analogy, found)
        for word in golden["oov"]:
            result = run("similarity", path, "the", word)
            assert result.returncode == 1 and not result.stdout, (path, word, result)
            assert result.stderr.decode() == f"sesame: error: {path}: has no word '{word}'\n", result.stderr
    print(name, "ok")
