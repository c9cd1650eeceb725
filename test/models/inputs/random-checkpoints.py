"""Checkpoints of other sizes and options: random-checkpoints.py WORK SEED FIXTURE...

For each fixture: draws a config.json with other widths, heads, layers, vocabulary, activations, ties and biases, writes a checkpoint
with the tensors that the importer then asks for, imports it, and lets sesame-numeric-test compare the fast code of every entry
with the reference lowering on random inputs and weights. The same seed draws the same models.
"""
import json
import os
import random
import re
import struct
import subprocess
import sys

WIDTHS = ["hidden_size", "true_hidden_size", "intra_bottleneck_size", "n_embd", "d_model", "dim", "emb_dim"]
HEADS = ["num_attention_heads", "n_head", "n_heads", "num_heads", "nhead", "encoder_attention_heads", "decoder_attention_heads",
         "num_encoder_attention_heads", "num_decoder_attention_heads"]
FREE_HEAD_SIZES = ["head_dim", "d_head", "d_kv", "attention_head_size"]
INNER = ["intermediate_size", "n_inner", "d_ff", "ffn_dim", "dff", "d_inner", "hidden_dim", "encoder_ffn_dim", "decoder_ffn_dim",
         "dim_feedforward", "feed_forward_size"]
LAYERS = ["num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers", "decoder_layers", "num_encoder_layers",
          "num_decoder_layers", "l_layers", "r_layers", "x_layers"]
ACTIVATIONS = ["activation_function", "hidden_act", "hidden_activation", "activation", "afn", "ff_activation", "conv_act"]
FLAGS = ["tie_word_embeddings", "attention_bias", "mlp_bias", "use_bias", "use_conv_bias", "qkv_bias", "scale_embedding", "scale_attn_weights",
         "multi_query", "pool_q_only", "separate_cls", "truncate_seq", "position_biased_input", "share_att_key", "do_layer_norm_before",
         "pre_lnorm", "same_length", "untie_r", "norm_first", "final_norm", "share_embeddings", "generator_bias", "reverse_source"]
# Extents that nothing else depends on, and the most that is drawn.
FREE = {"src_vocab_size": 150, "tgt_vocab_size": 150, "num_mel_bins": 9, "max_source_positions": 12, "visual_feat_dim": 12, "modal_hidden_size": 30,
        "num_image_embeds": 3, "projection_dim": 20, "num_frames": 3, "num_channels": 3, "lstm_size": 25, "projection_size": 19, "lm_size": 21,
        "attention_size": 23, "char_embedding_size": 9, "num_highway": 2, "mem_len": 9, "window_size": 6, "ngram": 3, "num_feedforward_networks": 3,
        "embedding_size": 30, "word_embed_proj_dim": 30, "state_size": 9, "time_step_rank": 7}
# Embeddings of the width of the hidden states.
FULL_EMBEDDINGS = ("squeezebert", "lstm-lm", "gru-lm", "rnn-lm")
# Outputs whose rows are made of the whole batch: the reference orders the losses of Transformer-XL by tokens first.
JOINT = {"transfo-xl": "losses"}
SECTIONS = ["encoder", "decoder", "text_config", "vision_config"]


def draw(config, rng):
    """Another config of the same family, within what its options allow together."""
    for key in SECTIONS:
        if isinstance(config.get(key), dict):
            draw(config[key], rng)
    rotates = "rope_parameters" in config or "rotary_dim" in config
    heads = rng.randint(1, 5)
    size = 4 * rng.randint(1, 5) if rotates else rng.randint(3, 19)  # half of the features may be rotated
    for key in FREE_HEAD_SIZES:
        if key in config:
            config[key] = size
    if heads * size % 2:  # sines and cosines share the width
        heads += 1
    for key in WIDTHS:
        if key in config:
            config[key] = heads * size
    for key in HEADS:
        if key in config:
            config[key] = heads
    if "num_key_value_heads" in config:
        config["num_key_value_heads"] = rng.choice([n for n in range(1, heads + 1) if heads % n == 0])
    if "rotary_dim" in config:
        config["rotary_dim"] = 2 * rng.randint(1, size // 2)
    for key in INNER:
        if config.get(key) is not None:
            config[key] = rng.randint(5, 90)
    layers = rng.randint(1, 3)
    for key in LAYERS:
        if isinstance(config.get(key), int):
            config[key] = layers
    for key in ["layer_types", "attention_layers", "attn_layers", "attention_window"]:
        if isinstance(config.get(key), list):
            config[key] = [config[key][i % len(config[key])] for i in range(layers)]
    if "vocab_size" in config:
        config["vocab_size"] = rng.randint(61, 150)
    if "decoder_vocab_size" in config:
        config["decoder_vocab_size"] = config["vocab_size"]
    for key in FREE:
        if config.get(key):
            config[key] = rng.randint(61 if "vocab" in key else 1, FREE[key])
    for key in ACTIVATIONS:
        if key in config:
            config[key] = rng.choice(["relu", "gelu"] if key in ("afn", "activation") else ["relu", "gelu", "gelu_new", "silu", "tanh"])
    for key in FLAGS:
        if isinstance(config.get(key), bool):
            config[key] = rng.random() < 0.5
    draw_special(config, rng, heads, heads * size)
    return config


def draw_special(config, rng, heads, width):
    """What hangs together in one family or two."""
    kind = config.get("model_type")
    if kind in FULL_EMBEDDINGS:
        config["embedding_size"] = width
    if kind == "mobilebert":
        config["hidden_size"] = rng.randint(5, 40)
    if kind == "reformer":
        part = rng.randint(1, width - 1)
        config["axial_pos_embds_dim"] = [part, width - part]
        config["tie_word_embeddings"] = False
    if kind == "whisper":
        config["scale_embedding"] = False
    if kind == "transfo-xl":
        config["d_embed"], config["div_val"] = rng.randint(9, 40), rng.choice([1, 2, 3])
        config["clamp_len"] = rng.choice([-1, 3, 1000])
    if "image_size" in config:
        config["patch_size"] = rng.randint(2, 5)
        config["image_size"] = config["patch_size"] * rng.randint(1, 3)
    for key in ["q_groups", "k_groups", "v_groups", "post_attention_groups", "intermediate_groups", "output_groups", "conv_groups"]:
        if key in config:
            config[key] = rng.choice([1, heads])
    if kind == "squeezebert":
        config["intermediate_size"] = heads * rng.randint(3, 20)


def write_tensors(path, shapes):
    """A safetensors file of zeros, as a hole: the numbers are drawn where they are compared."""
    header, offset = {}, 0
    for name, shape in shapes.items():
        size = 4
        for extent in shape:
            size *= extent
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        out.truncate(8 + len(text) + offset)


def read_shapes(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    return {name: value["shape"] for name, value in header.items() if name != "__metadata__"}


def import_module(checkpoint, shapes):
    """The module's text; `shapes` becomes what the importer asks for, which it says a few tensors at a time."""
    for _ in range(200):
        write_tensors(os.path.join(checkpoint, "model.safetensors"), shapes)
        run = subprocess.run(["sesame", "import", checkpoint], capture_output=True, text=True)
        if run.returncode == 0:
            return run.stdout
        asked = re.findall(r"'([^']+)' is (?:missing|f32\[[^]]*\]), expected f32\[([^]]*)\]", run.stderr)
        if not asked:
            sys.exit(f"{checkpoint}: {run.stderr}")
        for name, shape in asked:
            shapes[name] = [int(extent) for extent in shape.split(",")] if shape else []
    sys.exit(f"{checkpoint}: the importer is never content")


def main():
    work, seed = sys.argv[1], sys.argv[2]
    for fixture in sys.argv[3:]:
        rng = random.Random(seed + os.path.basename(fixture))
        checkpoint = os.path.join(work, os.path.basename(fixture))
        os.makedirs(checkpoint, exist_ok=True)
        with open(os.path.join(fixture, "config.json"), encoding="utf-8") as file:
            config = draw(json.load(file), rng)
        with open(os.path.join(checkpoint, "config.json"), "w", encoding="utf-8") as file:
            json.dump(config, file, indent=2)
        module = checkpoint + ".mlir"
        text = import_module(checkpoint, read_shapes(os.path.join(fixture, "model.safetensors")))
        with open(module, "w", encoding="utf-8") as file:
            file.write(text)
        joint = ["--joint", JOINT[config["model_type"]]] if config.get("model_type") in JOINT else []
        run = subprocess.run(["sesame-numeric-test", module, "--runs", "2", "--seed", str(rng.randrange(1000)), *joint], capture_output=True,
                             text=True)
        print(f"{os.path.basename(fixture)}: {'ok' if run.returncode == 0 else 'FAILED'} ({checkpoint}/config.json)")
        if run.returncode:
            sys.exit(run.stdout + run.stderr)


main()
