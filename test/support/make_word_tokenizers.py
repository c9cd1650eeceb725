#!/usr/bin/env python3
"""Records the tokenizers that cut words by rules of their own (XLM, Flaubert, FSMT, CTRL, Blenderbot-small,
ProphetNet) with transformers and sacremoses: small vocabularies from the text of test/fixtures, and the ids and
texts that the reference's classes give.

usage: make_word_tokenizers.py TEXT STRINGS OUT
  TEXT     a text file to learn the vocabularies from
  STRINGS  a file with one JSON object a line, whose "text" is a string to record
  OUT      the folder for files-*
"""

import json
import os
import sys

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

EXTRA = [
    "It's the dogs' 5,000.50 dollars; don't \"quote, me\" (e.g. No. 5 vs. Mr. Smith's).",
    "Wait... what?! and/or foo-bar state-of-the-art -- 3-4 `back` ``ticks'' 'single'",
    "mail me@example.com or see https://example.com/a_b?c=d&e=f#g [1] <tag attr=\"x\"> 50 % 50% $5 \u20ac7 \u00a39",
    "\u00ab\u00a0Bonjour\u00a0\u00bb, l'\u00e9t\u00e9 d'une ann\u00e9e\u00a0: qu'est-ce que c'est\u00a0? N.B. M. Dupont, p.ex. 1\u00a0000\u00a0%",
    "\u201eGuten Tag\u201c, sagte z.B. Dr. Meier am 3. Mai; es kostet 1.234,50\u00a0\u20ac usw. Stra\u00dfe",
    "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440! \u042d\u0442\u043e \u0433. \u041c\u043e\u0441\u043a\u0432\u0430, 5 \u0440\u0443\u0431. \u0438 \u0442.\u0434. \u00ab\u0441\u043b\u043e\u0432\u043e\u00bb",
    "\u039f\u0394\u039f\u03a3 \u039f\u0394\u039f\u03a3. \u03a3 \u0391\u03a3'\u0391 \u0130stanbul \u01c4 \ufb01 e\u0301 \u00c9COLE",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002 \u300a\u4e66\u300b\uff08\u4e00\uff09 \uff11\uff12\uff13\uff05 \u3002\u3000\uff0e\u3002 \ud55c\uad6d\uc5b4 \u304b\u306a",
    "a,b,c 1,2,3 1,a a,1 ,start end, 5, 5,",
    "U.S. U.S.A. a.m. p.m. Inc. e.g. word. next Word. Next word. 5 Art. 7 Art. x",
    "....' x.' '.. .. ...",
    "'tis 'twas 90's '90s rock'n'roll O'Neill's students' x'",
    "line one\nline two\r\n\nline three\ttab \u2028 sep \x1c\x1d control\x01\x7f",
    "hello.\nit's\n'\n(you)!\n",
    "\u0928\u092e\u0938\u094d\u0924\u0947 \u0915\u094d\u092f\u093e \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "emoji \U0001f600\U0001f469\u200d\U0001f469\u200d\U0001f467 \ufe0f\u2764\ufe0f flags \U0001f1e9\U0001f1ea",
    "&amp; &lt; | < > [ ] @-@ &apos;s",
    "x" * 120 + " " + "ab" * 60,
    "\u2018single\u2019 \u201cdouble\u201d it\u2019s \u00b4acute\u00b4 \u2013 en\u2014em \u2026 \u201alow\u2019",
]


def learn(words, size, suffix="</w>"):
    """Merges in order over `words`, a list of word lists."""
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix=suffix))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(vocab_size=size, end_of_word_suffix=suffix, show_progress=False)
    tokenizer.train_from_iterator([" ".join(line) for line in words], trainer)
    document = json.loads(tokenizer.to_str())["model"]
    merges = [m if isinstance(m, list) else m.split(" ") for m in document["merges"]]
    return merges, list(document["vocab"])


def write(path, text):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)


def dump(path, value):
    write(path, json.dumps(value, ensure_ascii=False, sort_keys=False))


def main():
    text_path, strings_path, out = sys.argv[1:]
    from transformers import (BlenderbotSmallTokenizer, CTRLTokenizer, FlaubertTokenizer, FSMTTokenizer,
                              ProphetNetTokenizer, XLMTokenizer)
    import sacremoses

    lines = open(text_path, encoding="utf-8").read().split("\n")[:2000] + EXTRA
    texts = [json.loads(line)["text"] for line in open(strings_path, encoding="utf-8")]
    texts = [t for t in dict.fromkeys(texts) if len(t) < 200] + EXTRA

    def moses(lang, lower, **kwargs):
        splitter = sacremoses.MosesTokenizer(lang=lang)
        return [splitter.tokenize(l.lower() if lower else l, return_str=False, **kwargs) for l in lines]

    def record(kind, tokenizer, target=None):
        rows = []
        for text in texts:
            ids = tokenizer(text)["input_ids"]
            row = {"text": text, "ids_sp": ids, "pair_ids_sp": tokenizer(text, "or not")["input_ids"]}
            plain = tokenizer(text, add_special_tokens=False)["input_ids"]
            if target is None:
                row["decode"] = tokenizer.decode(plain, skip_special_tokens=True)
            else:
                row["target_ids"] = target(text, add_special_tokens=False)["input_ids"]
                row["target_decode"] = tokenizer.decode(row["target_ids"], skip_special_tokens=True)
            rows.append(json.dumps(row, ensure_ascii=False))
        write(f"{out}/files-{kind}/golden.jsonl", "\n".join(rows) + "\n")

    def folder(kind, config):
        path = f"{out}/files-{kind}"
        os.makedirs(path, exist_ok=True)
        dump(f"{path}/tokenizer_config.json", config)
        return path

    specials = ["<s>", "</s>", "<pad>", "<unk>"] + [f"<special{i}>" for i in range(10)]
    for kind, cls, lang, config in [
        ("xlm", XLMTokenizer, "en", {}),
        ("xlm-cased", XLMTokenizer, "en", {"do_lowercase_and_remove_accent": False}),
        ("flaubert", FlaubertTokenizer, "fr", {"do_lowercase": True}),
    ]:
        merges, vocab = learn(moses(lang, kind != "xlm-cased", escape=False), 500)
        # Every seventh merge leads out of the vocabulary, as in models whose vocabulary was cut by frequency.
        made = {"".join(m) for m in merges[::7]}
        path = folder(kind, {"tokenizer_class": cls.__name__, **config})
        dump(f"{path}/vocab.json", {t: i for i, t in enumerate(specials + [t for t in vocab if t not in made])})
        write(f"{path}/merges.txt", "".join(f"{a} {b} {1000 - i}\n" for i, (a, b) in enumerate(merges)))
        record(kind, cls(f"{path}/vocab.json", f"{path}/merges.txt", **config))

    for source, target in [("en", "de"), ("de", "en"), ("ru", "fr")]:
        kind = f"fsmt-{source}-{target}"
        splits = [moses(l, False, escape=True, aggressive_dash_splits=True) for l in (source, target)]
        merges, vocab = learn(splits[0] + splits[1], 500)
        path = folder(kind, {"tokenizer_class": "FSMTTokenizer", "langs": [source, target]})
        head = ["<s>", "<pad>", "</s>", "<unk>"]
        dump(f"{path}/vocab-src.json", {t: i for i, t in enumerate(head + [t for i, t in enumerate(vocab) if i % 5])})
        dump(f"{path}/vocab-tgt.json", {t: i for i, t in enumerate(head + vocab[::-1])})
        write(f"{path}/merges.txt", "".join(f"{a} {b} {1000 - i}\n" for i, (a, b) in enumerate(merges)))
        files = dict(src_vocab_file=f"{path}/vocab-src.json", tgt_vocab_file=f"{path}/vocab-tgt.json",
                     merges_file=f"{path}/merges.txt")
        tokenizer = FSMTTokenizer(langs=[source, target], **files)
        back = FSMTTokenizer(langs=[target, target], **{**files, "src_vocab_file": files["tgt_vocab_file"]})
        record(kind, tokenizer, back)

    for kind, cls, head in [("ctrl", CTRLTokenizer, ["<unk>"]),
                            ("blenderbot-small", BlenderbotSmallTokenizer,
                             ["__null__", "__start__", "__end__", "__unk__", "__newln__"])]:
        small = kind != "ctrl"
        merges, vocab = learn([(l.lower() if small else l).split() for l in lines], 500)
        spelled = [t[:-4] if t.endswith("</w>") else t + "@@" for t in vocab]
        path = folder(kind, {"tokenizer_class": cls.__name__})
        dump(f"{path}/vocab.json", {t: i for i, t in enumerate(head + [t for i, t in enumerate(spelled) if i % 9])})
        write(f"{path}/merges.txt", "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
        record(kind, cls(f"{path}/vocab.json", f"{path}/merges.txt"))

    for kind, config in [("prophetnet", {}), ("prophetnet-cased", {"do_lower_case": False})]:
        path = folder(kind, {"tokenizer_class": "ProphetNetTokenizer", **config})
        _, vocab = learn([sacremoses.MosesTokenizer().tokenize(l.lower() if not config else l, escape=False)
                          for l in lines], 500, suffix="")
        head = ["[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[X_SEP]"]
        write(f"{path}/prophetnet.tokenizer",
              "".join(t + "\n" for t in dict.fromkeys(head + vocab + ["##" + t for t in vocab if t.isalnum()])))
        record(kind, ProphetNetTokenizer(f"{path}/prophetnet.tokenizer", **config))


if __name__ == "__main__":
    main()
