"""Writes the compared models with random weights in their real shapes, as Hugging Face directories.

Every runtime reads these files (or what its own converter makes of them), so all compute the same function.
"""

import json
from pathlib import Path

# Recurrent language models: a stack as wide as a speech model's, with a vocabulary so small that the recurrence is what is timed.
RECURRENT = {"cell": "lstm", "embedding_size": 512, "hidden_size": 1024, "num_layers": 2, "vocab_size": 64}
# lstm-64 and its like: one layer of that width, its input as wide.
RECURRENT_MODELS = ("lstm", "gru", *(f"{cell}-{width}" for cell in ("lstm", "gru") for width in (64, 256, 512)))


def vocabulary_size(model):
    return {"gpt2": 50257, "bert": 30522, "t5": 32128, "marian": 58101}.get(model, RECURRENT["vocab_size"])


def write(model, directory):
    """Writes `model` into `directory` unless it is there already; returns the directory."""
    directory = Path(directory)
    if (directory / "done").exists():
        return directory
    import torch

    directory.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    if model in RECURRENT_MODELS:
        _write_recurrent(model, directory)
    else:
        import transformers

        classes = {
            "gpt2": (transformers.GPT2LMHeadModel, transformers.GPT2Config()),
            "bert": (transformers.BertModel, transformers.BertConfig()),
            # T5 small.
            "t5": (transformers.T5ForConditionalGeneration, transformers.T5Config(decoder_start_token_id=0)),
            # The base size, as that of most published pairs of languages; padding is the last id.
            "marian": (transformers.MarianMTModel,
                       transformers.MarianConfig(d_model=512, encoder_layers=6, decoder_layers=6, encoder_attention_heads=8,
                                                 decoder_attention_heads=8, encoder_ffn_dim=2048, decoder_ffn_dim=2048,
                                                 max_position_embeddings=512, activation_function="swish", scale_embedding=True,
                                                 vocab_size=58101, pad_token_id=58100, decoder_start_token_id=58100,
                                                 eos_token_id=0, forced_eos_token_id=None)),
        }
        kind, config = classes[model]
        kind(config).eval().save_pretrained(directory)
        if model == "bert":  # older readers want what newer writers leave out
            path = directory / "config.json"
            path.write_text(json.dumps(dict(json.loads(path.read_text()), position_embedding_type="absolute"), indent=2))
        _write_tokenizer(model, directory)
    (directory / "done").touch()
    return directory


def _write_recurrent(model, directory):
    from safetensors.torch import save_file

    from .modules import RecurrentLm

    cell, _, width = model.partition("-")
    config = dict(RECURRENT, cell=cell)
    if width:
        config.update(embedding_size=int(width), hidden_size=int(width), num_layers=1)
    save_file(RecurrentLm(config).state_dict(), directory / "model.safetensors")
    config.update(architectures=["RnnLM"], model_type=f"{cell}-lm", batch_first=True, tie_weights=False)
    (directory / "config.json").write_text(json.dumps(config, indent=2))


def _write_tokenizer(model, directory):
    """A vocabulary of made-up words: some converters refuse a model without one. Ids are what is timed."""
    words = [f"w{i}" for i in range(vocabulary_size(model))]
    if model == "marian":
        words[-1] = "<pad>"  # as the converter of CTranslate2 expects
    special = {"unk_token": words[0], "pad_token": words[0], "eos_token": words[1], "bos_token": words[1],
               "cls_token": words[2], "sep_token": words[3], "mask_token": words[4]}
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "vocab": {word: i for i, word in enumerate(words)}, "unk_token": words[0]},
    }
    (directory / "tokenizer.json").write_text(json.dumps(tokenizer))
    (directory / "tokenizer_config.json").write_text(
        json.dumps(dict(special, tokenizer_class="PreTrainedTokenizerFast")))
