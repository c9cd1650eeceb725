#!/usr/bin/env python3
"""Writes a GPT-2 checkpoint of any size with random weights.

usage: make_gpt2.py DIR [--layers 12] [--width 768] [--heads 12] [--vocab 50257] [--positions 1024] [--seed 1]

The weights are draws of N(0, 0.02), taken from one pool of 2^20 values at offsets that the seed decides: 124 M parameters are
written in seconds without any library. Layer norms are 1 + noise, so nothing in the model is trivial.
"""
import argparse
import array
import json
import os
import random
import struct


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    for name, default in [("layers", 12), ("width", 768), ("heads", 12), ("vocab", 50257), ("positions", 1024), ("seed", 1)]:
        parser.add_argument("--" + name, type=int, default=default)
    args = parser.parse_args()

    rng = random.Random(args.seed)
    size = 1 << 20
    pool = array.array("f", (rng.gauss(0.0, 0.02) for _ in range(size)))
    ones = array.array("f", (1.0 + x for x in pool[: 1 << 14]))
    raw_pool, raw_ones = pool.tobytes(), ones.tobytes()

    c = args.width
    tensors = [("wte.weight", [args.vocab, c]), ("wpe.weight", [args.positions, c])]
    for i in range(args.layers):
        tensors += [(f"h.{i}.{name}", shape) for name, shape in [
            ("ln_1.weight", [c]), ("ln_1.bias", [c]),
            ("attn.c_attn.weight", [c, 3 * c]), ("attn.c_attn.bias", [3 * c]),
            ("attn.c_proj.weight", [c, c]), ("attn.c_proj.bias", [c]),
            ("ln_2.weight", [c]), ("ln_2.bias", [c]),
            ("mlp.c_fc.weight", [c, 4 * c]), ("mlp.c_fc.bias", [4 * c]),
            ("mlp.c_proj.weight", [4 * c, c]), ("mlp.c_proj.bias", [c])]]
    tensors += [("ln_f.weight", [c]), ("ln_f.bias", [c])]

    header, offset = {}, 0
    for name, shape in tensors:
        count = 1
        for extent in shape:
            count *= extent
        header["transformer." + name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + 4 * count]}
        offset += 4 * count
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)

    os.makedirs(args.directory, exist_ok=True)
    with open(os.path.join(args.directory, "model.safetensors"), "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for name, _ in tensors:
            begin, end = header["transformer." + name]["data_offsets"]
            source = raw_ones if name.startswith("ln_") and name.endswith("weight") or ".ln_" in name and name.endswith("weight") else raw_pool
            at, left = 4 * rng.randrange(len(source) // 4), end - begin
            while left:
                piece = source[at:at + left]
                out.write(piece)
                left -= len(piece)
                at = 0
    config = {
        "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5,
        "n_embd": c, "n_head": args.heads, "n_inner": None, "n_layer": args.layers, "n_positions": args.positions,
        "vocab_size": args.vocab, "tie_word_embeddings": True, "scale_attn_weights": True, "bos_token_id": args.vocab - 1,
        "eos_token_id": args.vocab - 1,
    }
    with open(os.path.join(args.directory, "config.json"), "w") as out:
        json.dump(config, out, indent=2)


if __name__ == "__main__":
    main()
