"""make-translation-model.py CHECKPOINT OUT KIND [CONFIG_JSON]: a fixture's encoder-decoder with a tokenizer of whole words, w4 ... The special
tokens are where the fixture's config.json has them; languages take the last ids. KIND is the tokenizer's class; CONFIG_JSON is
merged into config.json."""
import json
import os
import shutil
import sys

source, out, kind = sys.argv[1:4]
shutil.rmtree(out, ignore_errors=True)
os.makedirs(out)
for name in ("model.safetensors", "generation_config.json"):
    shutil.copy(os.path.join(source, name), out)
config = json.load(open(os.path.join(source, "config.json")))
if len(sys.argv) > 4:
    config.update(json.loads(sys.argv[4]))
json.dump(config, open(os.path.join(out, "config.json"), "w"))

tokens = [f"w{i}" for i in range(config["vocab_size"])]
special = {config["eos_token_id"]: "</s>", config["pad_token_id"]: "<pad>", 3: "<unk>"}
languages = {"MBart": ["en_XX", "de_DE", "ro_RO"], "MBart50": ["en_XX", "de_DE", "ro_RO"], "Marian": [">>deu<<", ">>fra<<"],
             "M2M100": ["__en__", "__de__", "__fr__"], "Nllb": ["eng_Latn", "deu_Latn", "fra_Latn"]}.get(kind, [])
special.update({90 + i: token for i, token in enumerate(languages)})
for i, token in special.items():
    tokens[i] = token
ids = {token: i for i, token in enumerate(tokens)}
template = [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}]
framing = {"</s>": {"id": "</s>", "ids": [ids["</s>"]], "tokens": ["</s>"]}}
if kind == "MBart":
    template.append({"SpecialToken": {"id": "en_XX", "type_id": 0}})
    framing["en_XX"] = {"id": "en_XX", "ids": [ids["en_XX"]], "tokens": ["en_XX"]}
json.dump({
    "version": "1.0",
    "added_tokens": [{"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
                     for i, token in special.items()],
    "normalizer": None, "pre_tokenizer": {"type": "WhitespaceSplit"},
    "post_processor": {"type": "TemplateProcessing", "single": template, "pair": template + [{"Sequence": {"id": "B", "type_id": 0}}],
                       "special_tokens": framing},
    "decoder": None, "model": {"type": "WordLevel", "vocab": ids, "unk_token": "<unk>"}}, open(os.path.join(out, "tokenizer.json"), "w"))
json.dump({"tokenizer_class": kind + "Tokenizer", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"},
          open(os.path.join(out, "tokenizer_config.json"), "w"))
