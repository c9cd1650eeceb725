"""damage-vectors.py OUT KIND: a file of word vectors that is damaged in one way."""
import struct
import sys

out, kind = sys.argv[1:]


def binary(count, dimension, rows):
    return f"{count} {dimension}\n".encode() + b"".join(
        word.encode() + b" " + struct.pack(f"<{len(values)}f", *values) + b"\n" for word, values in rows)


rows = [("cat", [0.1, 2, 3]), ("dog", [4, 5, 0.6]), ("bird", [-7, 0.8, 9])]
text = "3 3\ncat 1 2 3\ndog 4 5 6\nbird 7 8 9\n"
data = {
    "empty": b"",
    "few": text.replace("3 3", "4 3").encode(),
    "many": text.replace("3 3", "2 3").encode(),
    "zero-count": text.replace("3 3", "0 3", 1).encode(),
    "negative": text.replace("3 3", "3 -3", 1).encode(),
    "huge": text.replace("3 3", "3 99999999999", 1).encode(),
    "huger": text.replace("3 3", "9223372036854775807 9223372036854775807", 1).encode(),
    "no-fit": text.replace("3 3", "99999999999999999999999 3", 1).encode(),
    "short-line": text.replace("dog 4 5 6", "dog 4 5").encode(),
    "blank-line": text.replace("dog", "\ndog").encode(),
    "word": text.replace("5", "five").encode(),
    "nan": text.replace("5", "nan").encode(),
    "infinite": text.replace("5", "-inf").encode(),
    "glued": text.replace("5", "5x").encode(),
    "zero-vector": text.replace("4 5 6", "0 0 0").encode(),
    "short-glove": "cat 1 2 3\ndog 4 5 6\nbird 7 8\nfish 1 2 3\n".encode(),
    "lonely": b"cat\ndog\n",
    "tiny-number": text.replace("5", "1e-60").encode(),
    "binary": binary(3, 3, rows),
    "binary-short": binary(3, 3, rows)[:-5],
    "binary-long": binary(3, 3, rows) + b"more",
    "binary-few": binary(4, 3, rows),
    "binary-nan": binary(3, 3, [*rows[:2], ("bird", [0.5, float("nan"), 1])]),
    "binary-huge": binary(3, 1 << 40, rows),
    "gzip": b"\x1f\x8b\x08\x00",
    "fasttext-model": struct.pack("<ii", 793712314, 12) + bytes(64),
}[kind]
open(out, "wb").write(data)
