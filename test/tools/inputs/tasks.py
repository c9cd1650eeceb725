"""Checks a text command against the logits that `sesame run` gives for the same tokens: tasks.py TASK BUNDLE SCRATCH [text...]

What the command makes of the logits is computed here once more, from transformers' description of its pipelines.
"""
import json
import math
import subprocess
import sys

import tensors

task, bundle, scratch = sys.argv[1:4]
texts = sys.argv[4:]


def sesame(*arguments):
    done = subprocess.run(["sesame", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"sesame {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def tokenize(text, pair=None):
    return json.loads(sesame("tokenize", bundle, text, "--json", *(["--pair", pair] if pair is not None else [])))


def forward(encoding):
    """The outputs for one row: {name: flat values}"""
    count = len(encoding["ids"])
    tensors.write(f"{scratch}.in", {name: ("I64", [1, count], values) for name, values in [
        ("input_ids", encoding["ids"]), ("attention_mask", [1] * count), ("token_type_ids", encoding["type_ids"])]})
    sesame("run", bundle, "--inputs", f"{scratch}.in", "--outputs", f"{scratch}.out")
    return {name: list(values) for name, (_, values) in tensors.read(f"{scratch}.out").items()}


def softmax(values):
    powers = [math.exp(value - max(values)) for value in values]
    return [power / sum(powers) for power in powers]


def compare(got, expected, place="result"):
    if isinstance(expected, float):
        assert abs(got - expected) <= 2e-5 * max(1, abs(expected)), f"{place}: got {got}, expected {expected}"
    elif isinstance(expected, list):
        assert len(got) == len(expected), f"{place}: got {len(got)} elements, expected {len(expected)}"
        for i, (a, b) in enumerate(zip(got, expected)):
            compare(a, b, f"{place}[{i}]")
    elif isinstance(expected, dict):
        assert got.keys() == expected.keys(), f"{place}: got {list(got)}, expected {list(expected)}"
        for key in expected:
            compare(got[key], expected[key], f"{place}.{key}")
    else:
        assert got == expected, f"{place}: got {got!r}, expected {expected!r}"


def fill_mask():
    expected = []
    for text in texts:
        encoding = tokenize(text)
        logits, masks = forward(encoding)["logits"], []
        vocabulary = len(logits) // len(encoding["ids"])
        for at in [i for i, id in enumerate(encoding["ids"]) if id == 4]:
            scores = softmax(logits[at * vocabulary : (at + 1) * vocabulary])
            best = sorted(range(vocabulary), key=lambda i: (-scores[i], i))[:3]
            masks.append([(scores[i], i) for i in best])
        expected.append(masks)
    got = json.loads(sesame("fill-mask", bundle, *texts, "--top-k", "3", "--json"))
    compare([[[c["score"] for c in mask] for mask in row] for row in got], [[[float(s) for s, _ in mask] for mask in row] for row in expected])
    compare([[[c["token"] for c in mask] for mask in row] for row in got], [[[t for _, t in mask] for mask in row] for row in expected])
    vocabulary = open(f"{bundle}/vocab.txt", encoding="utf-8").read().split("\n")
    for row in got:
        for mask in row:
            for candidate in mask:
                assert candidate["token_str"] == vocabulary[candidate["token"]], candidate
                # With one mask the sequence is the text with the token in its place; with two it still shows the other.
                assert candidate["token_str"].removeprefix("##") in candidate["sequence"] or candidate["token"] < 5, candidate
                assert ("[MASK]" in candidate["sequence"]) == (len(row) > 1 or candidate["token"] == 4 and len(row) > 1), candidate


def classify():
    rows = [forward(tokenize(text))["logits"] for text in texts]
    expected = []
    for row in rows:
        scores = softmax(row)
        order = sorted(range(len(row)), key=lambda i: -scores[i])
        expected.append([{"label": f"LABEL_{i}", "score": scores[i]} for i in order])
    compare(json.loads(sesame("classify", bundle, *texts, "--json")), expected)


def choose():
    prompt, *choices = texts
    two_heads = "doubleheads" in bundle
    encodings = [tokenize(f"{prompt} {c} [CLS]") if two_heads else tokenize(prompt, c) for c in choices]
    length = max(len(e["ids"]) for e in encodings)
    pad = lambda values: values + [0] * (length - len(values))
    shape = [1, len(choices), length]
    feeds = {"input_ids": ("I64", shape, sum((pad(e["ids"]) for e in encodings), [])),
             "attention_mask": ("I64", shape, sum((pad([1] * len(e["ids"])) for e in encodings), []))}
    if not two_heads:
        feeds["token_type_ids"] = ("I64", shape, sum((pad(e["type_ids"]) for e in encodings), []))
    else:
        feeds["mc_token_ids"] = ("I64", shape[:2], [len(e["ids"]) - 1 for e in encodings])
    tensors.write(f"{scratch}.in", feeds)
    sesame("run", bundle, "--inputs", f"{scratch}.in", "--outputs", f"{scratch}.out")
    scores = softmax(list(tensors.read(f"{scratch}.out")["mc_logits" if two_heads else "logits"][1]))
    expected = [{"index": i, "choice": choices[i], "score": scores[i]} for i in sorted(range(len(choices)), key=lambda i: -scores[i])]
    compare(json.loads(sesame("choose", bundle, *choices, "--prompt", prompt, "--json")), expected)


def both_orders():
    text, pair = texts
    logits = [forward(tokenize(*order))["logits"] for order in [(text, pair), (pair, text)]]
    scores = softmax([a + b for a, b in zip(*logits)])
    expected = [{"label": f"LABEL_{i}", "score": scores[i]} for i in sorted(range(len(scores)), key=lambda i: -scores[i])]
    compare(json.loads(sesame("classify", bundle, text, "--pair", pair, "--both-orders", "--json")), [expected])


def tag():
    expected = []
    for text in texts:
        encoding = tokenize(text)
        logits, words = forward(encoding)["logits"], []
        count = len(logits) // len(encoding["ids"])
        for i, token in enumerate(encoding["tokens"]):
            if encoding["special_mask"][i]:
                continue
            start, end = encoding["offsets"][i]
            if token.startswith("##"):
                words[-1]["end"] = end
                continue
            scores = softmax(logits[i * count : (i + 1) * count])
            best = max(range(count), key=lambda k: scores[k])
            words.append({"label": f"LABEL_{best}", "score": scores[best], "start": start, "end": end})
        expected.append([dict(word, text=text[word["start"] : word["end"]]) for word in words])
    compare(json.loads(sesame("tag", bundle, *texts, "--words", "--json")), expected)
    # Neighbours with one label make one entity, whose score is the mean.
    grouped = []
    for text, words in zip(texts, expected):
        entities = []
        for word in words:
            if entities and entities[-1][0]["label"] == word["label"]:
                entities[-1].append(word)
            else:
                entities.append([word])
        grouped.append([{"label": e[0]["label"], "score": sum(w["score"] for w in e) / len(e), "start": e[0]["start"], "end": e[-1]["end"],
                         "text": text[e[0]["start"] : e[-1]["end"]]} for e in entities])
    compare(json.loads(sesame("tag", bundle, *texts, "--json")), grouped)


def embed():
    vectors = []
    for text in texts:
        states = forward(tokenize(text))["last_hidden_state"]
        count = len(tokenize(text)["ids"])
        width = len(states) // count
        vectors.append([sum(states[i * width + c] for i in range(count)) / count for c in range(width)])
    compare(json.loads(sesame("embed", bundle, *texts, "--no-normalize", "--json")), vectors)
    unit = [[x / math.sqrt(sum(y * y for y in vector)) for x in vector] for vector in vectors]
    compare(json.loads(sesame("embed", bundle, *texts, "--json")), unit)
    cosines = [[sum(x * y for x, y in zip(a, b)) for b in unit] for a in unit]
    compare(json.loads(sesame("embed", bundle, *texts, "--similarity", "--json")), cosines)
    first = forward(tokenize(texts[0]))["last_hidden_state"][: len(vectors[0])]
    compare(json.loads(sesame("embed", bundle, texts[0], "--pooling", "cls", "--no-normalize", "--json")), [first])


def answer():
    question, context = texts
    encoding = tokenize(question, context)
    outputs = forward(encoding)
    inside = [type == 1 and not special for type, special in zip(encoding["type_ids"], encoding["special_mask"])]
    probabilities = []
    for name in ("start_logits", "end_logits"):
        kept = [i for i, is_context in enumerate(inside) if is_context or i == 0]
        scores = dict(zip(kept, softmax([outputs[name][i] for i in kept])))
        probabilities.append([scores.get(i, 0.0) for i in range(len(inside))])
    start, end = probabilities
    positions = [i for i, is_context in enumerate(inside) if is_context]
    spans = sorted(((start[i] * end[j], i, j) for i in positions for j in positions if i <= j < i + 4), key=lambda s: (-s[0], s[1], s[2]))
    tokens, offsets = encoding["tokens"], encoding["offsets"]
    answers = {}
    for score, i, j in spans[: 2 * 3 + 10]:
        while tokens[i].startswith("##"):  # to whole words
            i -= 1
        while tokens[j + 1].startswith("##"):
            j += 1
        text = context[offsets[i][0] : offsets[j][1]]
        known = answers.setdefault(text.lower(), {"score": 0.0, "start": offsets[i][0], "end": offsets[j][1], "answer": text})
        known["score"] += score
    expected = sorted(answers.values(), key=lambda a: -a["score"])
    arguments = ["answer", bundle, "--question", question, "--context", context, "--max-answer-tokens", "4", "--top-k", "3", "--json"]
    compare(json.loads(sesame(*arguments)), expected[:3])
    none = {"score": start[0] * end[0], "start": 0, "end": 0, "answer": ""}
    compare(json.loads(sesame(*arguments, "--no-answer")), sorted(expected + [none], key=lambda a: -a["score"])[:3])


globals()[task.replace("-", "_")]()
print(f"{task}: ok")
