"""gpt1-forms.py FIXTURE OUT: the first GPT with a classifier of three classes and a tokenizer of words, w0 ..., in OUT; then `sesame classify`
on its input forms against the logits of `sesame run` on the ids that the paper's figure 1 frames them with."""
import json
import math
import os
import shutil
import subprocess
import sys

import tensors

source, out = sys.argv[1:3]
shutil.rmtree(out, ignore_errors=True)
os.makedirs(out)
config = json.load(open(f"{source}/config.json"))
config.update(architectures=["OpenAIGPTForSequenceClassification"], pad_token_id=0, id2label={str(i): name for i, name in enumerate("abc")})
json.dump(config, open(f"{out}/config.json", "w"))
width = config["n_embd"]
weights = {name: ("F32", shape, list(values)) for name, (shape, values) in tensors.read(f"{source}/model.safetensors").items()}
weights["score.weight"] = ("F32", [3, width], [math.sin(3 * i) for i in range(3 * width)])
tensors.write(f"{out}/model.safetensors", weights)
start, delimiter, classify = 94, 95, 96
tokens = [f"w{i}" for i in range(94)] + ["_start_", "_delimiter_", "_classify_"]
json.dump({"version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": None,
           "decoder": None, "model": {"type": "WordLevel", "vocab": {t: i for i, t in enumerate(tokens)}, "unk_token": "w1"}},
          open(f"{out}/tokenizer.json", "w"))


def sesame(*arguments):
    done = subprocess.run(["sesame", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"sesame {' '.join(arguments)}: {done.stderr}")
    return done.stdout


sesame("compile", out, "-o", f"{out}.bundle")


def logits(ids):
    tensors.write(f"{out}.in", {"input_ids": ("I64", [1, len(ids)], ids), "attention_mask": ("I64", [1, len(ids)], [1] * len(ids))})
    sesame("run", f"{out}.bundle", "--inputs", f"{out}.in", "--outputs", f"{out}.out")
    return list(tensors.read(f"{out}.out")["logits"][1])


def check(arguments, rows):
    sums = [sum(column) for column in zip(*map(logits, rows))]
    powers = [math.exp(value) for value in sums]
    got = {each["label"]: each["score"] for each in json.loads(sesame("classify", f"{out}.bundle", *arguments, "--json"))[0]}
    for label, power in zip("abc", powers):
        assert abs(got[label] - power / sum(powers)) < 1e-5, f"{arguments}: {label}: got {got[label]}, expected {power / sum(powers)}"


check(["w5 w6 w7"], [[start, 5, 6, 7, classify]])
check(["w5 w6", "--pair", "w8"], [[start, 5, 6, delimiter, 8, classify]])
check(["w5 w6", "--pair", "w8", "--both-orders"], [[start, 5, 6, delimiter, 8, classify], [start, 8, delimiter, 5, 6, classify]])
print("forms: ok")
