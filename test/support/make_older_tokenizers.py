#!/usr/bin/env python3
"""Records tokenizers whose Python classes transformers 4 has and transformers 5 has not, or not any more in Python (BARThez, BARTpho, XGLM, PLBart,
XLM-ProphetNet, PhoBERT, BERTweet, Transformer-XL): small vocabularies, and the ids and texts that those classes give.

usage: make_older_tokenizers.py TEXT STRINGS OUT
  The arguments are those of make_word_tokenizers.py. This needs transformers 4.46, sentencepiece and sacremoses.
"""
import io
import json
import os
import re
import sys

import sacremoses
import sentencepiece
from make_word_tokenizers import EXTRA, dump, learn, write
from transformers import BarthezTokenizer, BartphoTokenizer, BertweetTokenizer, PhobertTokenizer, PLBartTokenizer, XGLMTokenizer
from transformers.models.deprecated.transfo_xl.tokenization_transfo_xl import TransfoXLTokenizer
from transformers.models.deprecated.xlm_prophetnet.tokenization_xlm_prophetnet import XLMProphetNetTokenizer


def main():
    text_path, strings_path, out = sys.argv[1:]
    lines = open(text_path, encoding="utf-8").read().split("\n")[:2000] + EXTRA
    texts = [json.loads(line)["text"] for line in open(strings_path, encoding="utf-8")]
    texts = [t for t in dict.fromkeys(texts) if len(t) < 200]
    # What looks like a special token is text to Sesame where a SentencePiece model cuts the words.
    plain = [t for t in texts[::3] + EXTRA if not re.search(r"</?(s|pad|unk|mask)>|\[[A-Z]+\]", t)]

    def record(kind, tokenizer, strings):
        rows = []
        for text in strings:
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            rows.append({"text": text, "ids_sp": tokenizer(text)["input_ids"], "pair_ids_sp": tokenizer(text, "or not")["input_ids"],
                         "decode": tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)})
        write(f"{out}/files-{kind}/golden.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

    def folder(kind, config):
        path = f"{out}/files-{kind}"
        os.makedirs(path, exist_ok=True)
        dump(f"{path}/tokenizer_config.json", config)
        return path

    def pieces(path, **options):
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(lines), model_writer=model, vocab_size=400, character_coverage=0.995,
                                                 normalization_rule_name="identity", num_threads=1, minloglevel=1, **options)
        with open(path, "wb") as file:
            file.write(model.getvalue())
        processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
        return [processor.id_to_piece(i) for i in range(len(processor))]

    path = folder("barthez", {"tokenizer_class": "BarthezTokenizer"})
    pieces(f"{path}/sentencepiece.bpe.model", bos_id=0, pad_id=1, eos_id=2, unk_id=3)
    record("barthez", BarthezTokenizer(f"{path}/sentencepiece.bpe.model"), plain)

    path = folder("bartpho", {"tokenizer_class": "BartphoTokenizer"})
    known = pieces(f"{path}/sentencepiece.bpe.model")
    write(f"{path}/dict.txt", "".join(f"{piece} {1000 - i}\n" for i, piece in enumerate(known[3:]) if i % 5))
    record("bartpho", BartphoTokenizer(f"{path}/sentencepiece.bpe.model", f"{path}/dict.txt"), plain)

    for kind, cls, config in [("xglm", XGLMTokenizer, {}), ("plbart", PLBartTokenizer, {}), ("plbart-java", PLBartTokenizer, {"src_lang": "java"}),
                              ("plbart-multi", PLBartTokenizer, {"language_codes": "multi"}), ("xlm-prophetnet", XLMProphetNetTokenizer, {})]:
        path = folder(kind, {"tokenizer_class": cls.__name__, **config})
        name = "prophetnet.tokenizer" if kind == "xlm-prophetnet" else "sentencepiece.bpe.model"
        pieces(f"{path}/{name}")
        record(kind, cls(f"{path}/{name}", **config), plain if kind in ("xglm", "xlm-prophetnet") else plain[::6])

    for kind, cls in [("phobert", PhobertTokenizer), ("bertweet", BertweetTokenizer)]:
        merges, vocab = learn([line.split() for line in lines], 500)
        spelled = [t[:-4] if t.endswith("</w>") else t + "@@" for t in vocab]
        path = folder(kind, {"tokenizer_class": cls.__name__})
        write(f"{path}/vocab.txt", "".join(f"{t} {1000 - i}\n" for i, t in enumerate(dict.fromkeys(spelled)) if i % 9))
        write(f"{path}/bpe.codes", "".join(f"{a} {b} {1000 - i}\n" for i, (a, b) in enumerate(merges)))
        record(kind, cls(f"{path}/vocab.txt", f"{path}/bpe.codes"), texts + EXTRA if kind == "phobert" else (texts + EXTRA)[::6])

    for kind, config in [("transfo-xl", {}), ("transfo-xl-lower", {"lower_case": True})]:
        path = folder(kind, {"tokenizer_class": "TransfoXLTokenizer", **config})
        splitter = sacremoses.MosesTokenizer("en")
        count = {}
        for line in lines:
            for word in splitter.tokenize(line.lower() if config else line, aggressive_dash_splits=True, escape=False):
                count[word] = count.get(word, 0) + 1
        best = sorted(count, key=lambda word: (-count[word], word))[:600]
        write(f"{path}/vocab.txt", "".join(f"{word} {count.get(word, 0)}\n" for word in ["<unk>", "<eos>", "@-@", "@,@", "@.@", *best]))
        record(kind, TransfoXLTokenizer(vocab_file=f"{path}/vocab.txt", **config), texts + EXTRA)


if __name__ == "__main__":
    main()
