"""Lean PyTorch modules over the same weights: what gets exported, traced, compiled and quantised."""

import torch
from torch import nn
from torch.nn import functional as F

from .checkpoints import RECURRENT_MODELS


class RecurrentLm(nn.Module):
    """Embedding, stacked LSTM or GRU, projection of the last step. ids [B, S] -> logits [B, vocabulary]."""

    def __init__(self, config):
        super().__init__()
        self.encoder = nn.Embedding(config["vocab_size"], config["embedding_size"])
        cell = {"lstm": nn.LSTM, "gru": nn.GRU}[config["cell"]]
        self.rnn = cell(config["embedding_size"], config["hidden_size"], config["num_layers"], batch_first=True)
        self.decoder = nn.Linear(config["hidden_size"], config["vocab_size"])

    def forward(self, ids):
        return self.decoder(self.rnn(self.encoder(ids))[0][:, -1])


class Gpt2Layer(nn.Module):
    """One GPT-2 block: hidden [B, S, C], past key and value [B, H, P, D] -> hidden, present key and value."""

    def __init__(self, layer):
        super().__init__()
        self.heads = layer.attn.num_heads
        self.first_norm, self.second_norm = layer.ln_1, layer.ln_2
        self.qkv, self.projection = _linear(layer.attn.c_attn), _linear(layer.attn.c_proj)
        self.up, self.down = _linear(layer.mlp.c_fc), _linear(layer.mlp.c_proj)

    def forward(self, hidden, past_key, past_value, mask):
        batch, length, width = hidden.shape
        shape = (batch, length, self.heads, width // self.heads)
        query, key, value = (part.view(shape).transpose(1, 2)
                             for part in self.qkv(self.first_norm(hidden)).split(width, dim=2))
        key, value = torch.cat((past_key, key), 2), torch.cat((past_value, value), 2)
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        hidden = hidden + self.projection(mixed.transpose(1, 2).reshape(batch, length, width))
        return hidden + self.down(F.gelu(self.up(self.second_norm(hidden)), approximate="tanh")), key, value


class Gpt2(nn.Module):
    """GPT-2 with an explicit cache: ids [B, S], then a key and a value [B, H, P, D] a layer -> logits of the last token
    [B, vocabulary], then the caches [B, H, P + S, D]."""

    def __init__(self, model):
        super().__init__()
        body = model.transformer
        self.tokens, self.positions, self.norm = body.wte, body.wpe, body.ln_f
        self.layers = nn.ModuleList(Gpt2Layer(layer) for layer in body.h)
        # Not tied: dynamic quantisation replaces linear layers and leaves embeddings.
        self.head = nn.Linear(body.wte.embedding_dim, body.wte.num_embeddings, bias=False)
        self.head.weight = nn.Parameter(body.wte.weight.detach().clone(), requires_grad=False)

    def forward(self, ids, *past):
        length, before = ids.shape[1], past[0].shape[2]
        rows = torch.arange(before, before + length, device=ids.device)
        hidden = self.tokens(ids) + self.positions(rows)
        mask = torch.arange(before + length, device=ids.device)[None, :] <= rows[:, None]
        mask = torch.zeros_like(mask, dtype=hidden.dtype).masked_fill(~mask, torch.finfo(hidden.dtype).min)
        present = []
        for i, layer in enumerate(self.layers):
            hidden, key, value = layer(hidden, past[2 * i], past[2 * i + 1], mask)
            present += [key, value]
        return (self.head(self.norm(hidden[:, -1])), *present)

    def empty_cache(self, batch, length=0):
        layer = self.layers[0]
        shape = (batch, layer.heads, length, self.tokens.embedding_dim // layer.heads)
        return [torch.zeros(shape, dtype=self.tokens.weight.dtype) for _ in range(2 * len(self.layers))]


class BertOutput(nn.Module):
    """BERT's last hidden state as a plain tensor: ids [B, S] -> [B, S, C]."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids):
        return self.model(ids, attention_mask=torch.ones_like(ids)).last_hidden_state


def load(model, directory):
    """The lean module of a checkpoint in f32."""
    import json
    from pathlib import Path

    import transformers
    from safetensors.torch import load_file

    if model in RECURRENT_MODELS:
        module = RecurrentLm(json.loads((Path(directory) / "config.json").read_text()))
        module.load_state_dict(load_file(Path(directory) / "model.safetensors"))
    elif model == "gpt2":
        module = Gpt2(transformers.GPT2LMHeadModel.from_pretrained(directory, dtype=torch.float32))
    elif model == "bert":
        module = BertOutput(transformers.BertModel.from_pretrained(directory, dtype=torch.float32))
    else:
        kind = {"t5": transformers.T5ForConditionalGeneration, "marian": transformers.MarianMTModel}[model]
        module = kind.from_pretrained(directory, dtype=torch.float32)
    return module.eval().requires_grad_(False)


def quantised(module):
    """Linear and recurrent layers with int8 weights, activations quantised as they come."""
    return torch.ao.quantization.quantize_dynamic(module, {nn.Linear, nn.LSTM, nn.GRU}, dtype=torch.qint8)


def _linear(conv):
    """GPT-2's Conv1D holds its weight transposed."""
    linear = nn.Linear(conv.weight.shape[0], conv.weight.shape[1])
    linear.weight = nn.Parameter(conv.weight.t().contiguous(), requires_grad=False)
    linear.bias = nn.Parameter(conv.bias, requires_grad=False)
    return linear
