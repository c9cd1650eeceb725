#!/usr/bin/env python3
"""Records a case of test/fixtures/models: a small checkpoint of random weights, and what transformers computes with it in f32.

usage: make_fixture.py CASE OUT    writes config.json, model.safetensors, golden.json and golden.safetensors to OUT

Cases are below; this needs torch and transformers. golden.json lists the calls, golden.safetensors has their tensors as CALL.in.NAME, CALL.out.NAME and
CALL.dbg.NAME. Every weight is drawn anew, so that no bias is zero and no norm the identity. Inputs of `generate` are drawn until small changes of the weights
leave the ids as they are.
"""
import copy
import json
import sys

import torch
import transformers
from safetensors.torch import save_file
from transformers import GenerationConfig, GenerationMixin, LogitsProcessorList, WhisperTimeStampLogitsProcessor

TINY_SEQ2SEQ = dict(d_model=24, encoder_layers=2, decoder_layers=3, encoder_attention_heads=3, decoder_attention_heads=2, encoder_ffn_dim=28, decoder_ffn_dim=20,
                    max_position_embeddings=40, id2label=None)

TINY = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=28, max_position_embeddings=40)
TINY_GPT2 = dict(n_embd=24, n_layer=2, n_head=3, n_inner=28, n_positions=40)


class Case:
    """A class of transformers, its configuration and how it is called."""

    def __init__(self, cls, calls, generate=False, vocab=None, forward={}, in_f64=True, spread=0.35, unsaved=None, first_position=None, **config):
        self.cls, self.calls, self.generate, self.vocab, self.forward, self.config = cls, calls, generate, vocab, forward, config
        self.in_f64 = in_f64  # whether the class can run in f64
        self.spread = spread  # the standard deviation of matrices
        self.unsaved = unsaved  # ends the names of tensors that are not random, nor stored
        # where the positions of a search begin: transformers 5 begins at 0 even in classes whose own forward does not
        self.first_position = first_position


def ids(vocab, batch, length, low=4):
    return torch.randint(low, vocab, (batch, length))


def padded(tokens, lengths, pad):
    """tokens and their mask with each row cut to its length."""
    mask = (torch.arange(tokens.shape[1])[None] < torch.tensor(lengths)[:, None]).long()
    return torch.where(mask == 1, tokens, pad), mask


def pair(case, config):
    """A batch with padding on both sides, and one row without masks."""
    source, target = case.vocab
    pad = config.pad_token_id
    a, mask = padded(ids(source, 2, 13), [13, 9], pad)
    b, other = padded(ids(target, 2, 7), [7, 5], pad)
    b[:, 0] = config.decoder_start_token_id
    yield "fwd0", dict(input_ids=a, attention_mask=mask, decoder_input_ids=b, decoder_attention_mask=other), "decoder_attention_mask"
    yield "fwd1", dict(input_ids=ids(source, 1, 7), decoder_input_ids=ids(target, 1, 5)), None


def pair_with_global(case, config):
    """The same, and tokens with global attention."""
    for name, inputs, mask in pair(case, config):
        yield name, inputs, mask
    shape = inputs["input_ids"].shape
    marks = torch.zeros(shape, dtype=torch.long)
    marks[:, [0, 3]] = 1
    yield "fwd2", dict(inputs, global_attention_mask=marks), None


def typed(case, config):
    """GPT-2 with types, whose table is that of the words, and without."""
    for name, inputs, mask in single()(case, config):
        if name == "fwd0":
            inputs["token_type_ids"] = ids(case.vocab, *inputs["input_ids"].shape)
        yield name, inputs, mask


def single(**extra):
    """A batch with padding and one row without a mask; `extra` maps further inputs to functions of the ids."""
    def calls(case, config):
        a, mask = padded(ids(case.vocab, 2, 13), [13, 9], config.pad_token_id or 0)
        yield "fwd0", dict(input_ids=a, attention_mask=mask, **{k: f(a) for k, f in extra.items()}), "attention_mask"
        a = ids(case.vocab, 1, 7)
        yield "fwd1", dict(input_ids=a, **{k: f(a) for k, f in extra.items()}), None
    return calls


def choices(case, config):
    """Two rows of three choices, each a question and an answer."""
    a = torch.randint(4, case.vocab, (2, 3, 11))
    a[:, :, [4, 5, 10]] = config.sep_token_id
    yield "fwd0", dict(input_ids=a), None


def double_heads(case, config):
    """Two rows of three choices with a place to classify each at, and without, where that is the last one."""
    a = ids(case.vocab, 6, 11).reshape(2, 3, 11)
    yield "fwd0", dict(input_ids=a, mc_token_ids=torch.tensor([[10, 4, 7], [0, 9, 10]])), None
    yield "fwd1", dict(input_ids=a), None


def pictures(case, config):
    """Two images."""
    config = getattr(config, "vision_config", config)
    yield "fwd0", dict(pixel_values=torch.randn(2, config.num_channels, config.image_size, config.image_size)), None


def hidden_patches(case, config):
    """Two images, some of whose patches are hidden, and one as it is."""
    shape = (config.num_channels, config.image_size, config.image_size)
    mask = torch.randint(0, 2, (2, (config.image_size // config.patch_size) ** 2))
    yield "fwd0", dict(pixel_values=torch.randn(2, *shape), bool_masked_pos=mask), None
    yield "fwd1", dict(pixel_values=torch.randn(1, *shape)), None


def heard(case, config):
    """Two log-mel spectra."""
    yield "fwd0", dict(input_features=spectrum(config), decoder_input_ids=ids(case.vocab, 2, 7)), None


def spectrum(config):
    return torch.randn(2, config.num_mel_bins, 2 * config.max_source_positions)


def regions(case, config):
    """Texts with the regions of an image."""
    for name, inputs, mask in single()(case, config):
        rows = inputs["input_ids"].shape[0]
        inputs.update(visual_feats=torch.randn(rows, 5, config.visual_feat_dim), visual_pos=torch.rand(rows, 5, config.visual_pos_dim))
        yield name, inputs, mask


def ended(case, config):
    """A batch of texts that end in the end token, with padding."""
    a, mask = padded(ids(case.vocab, 2, 13), [13, 9], config.pad_token_id)
    a[0, 12] = a[1, 8] = config.eos_token_id
    yield "fwd0", dict(input_ids=a, attention_mask=mask), None


# transformers sizes the cache of a decoder alone by the number of encoder layers.
TINY_DECODER = dict(TINY_SEQ2SEQ, decoder_layers=2)
TINY_T5 = dict(vocab_size=97, d_model=24, d_kv=6, d_ff=28, num_layers=2, num_decoder_layers=2, num_heads=3, relative_attention_num_buckets=8,
               relative_attention_max_distance=12, decoder_start_token_id=0)
TINY_PROPHETNET = dict(vocab_size=97, hidden_size=24, encoder_ffn_dim=28, num_encoder_layers=2, num_encoder_attention_heads=3, decoder_ffn_dim=20,
                       num_decoder_layers=2, num_decoder_attention_heads=2, ngram=2, num_buckets=8, relative_max_distance=12, max_position_embeddings=40)
TINY_LLAMA = dict(TINY, vocab_size=97, num_key_value_heads=1)
TINY_WHISPER = dict(vocab_size=97, num_mel_bins=5, d_model=24, encoder_layers=2, decoder_layers=2, encoder_attention_heads=3, decoder_attention_heads=2,
                    encoder_ffn_dim=28, decoder_ffn_dim=20, max_source_positions=8, max_target_positions=40, pad_token_id=0, bos_token_id=1, eos_token_id=2,
                    decoder_start_token_id=3)
TINY_CLIP = dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=28, projection_dim=10)
TINY_CLIP_TEXT = dict(TINY_CLIP, vocab_size=97, max_position_embeddings=40, eos_token_id=96, bos_token_id=95, pad_token_id=1)
TINY_CLIP_IMAGE = dict(TINY_CLIP, image_size=12, patch_size=4)
TINY_VIT = dict({k: v for k, v in TINY.items() if k != "max_position_embeddings"}, image_size=12, patch_size=4, encoder_stride=4)
TINY_LXMERT = dict(vocab_size=97, hidden_size=24, num_attention_heads=3, intermediate_size=28, max_position_embeddings=40, l_layers=2, r_layers=1, x_layers=2,
                   visual_feat_dim=7, num_qa_labels=6, num_object_labels=5, num_attr_labels=4)

CASES = {
    "bart-decoder": Case("BartForCausalLM", single(), True, 97, vocab_size=97, activation_function="gelu", **TINY_DECODER),
    "mbart-decoder": Case("MBartForCausalLM", single(), True, 97, vocab_size=97, scale_embedding=True, **TINY_DECODER),
    "marian-decoder": Case("MarianForCausalLM", single(), True, 97, vocab_size=97, decoder_vocab_size=97, pad_token_id=1, **TINY_DECODER),
    "pegasus-decoder": Case("PegasusForCausalLM", single(), True, 97, vocab_size=97, activation_function="relu", **TINY_DECODER),
    "blenderbot-decoder": Case("BlenderbotForCausalLM", single(), True, 97, vocab_size=97, **TINY_DECODER),
    "blenderbot-small-decoder": Case("BlenderbotSmallForCausalLM", single(), True, 97, spread=0.7, vocab_size=97, **TINY_DECODER),
    "whisper-decoder": Case("WhisperForCausalLM", single(), True, 97, **TINY_WHISPER),
    "fsmt-model": Case("FSMTModel", pair, False, (97, 71), dict(use_cache=False), False, spread=0.8, unsaved="embed_positions.weight", src_vocab_size=97,
                       tgt_vocab_size=71, langs=["en", "de"], **TINY_SEQ2SEQ),
    "roberta-decoder": Case("RobertaForCausalLM", single(), True, 97, first_position=2, vocab_size=97, is_decoder=True, pad_token_id=1, **TINY),
    "camembert-decoder": Case("CamembertForCausalLM", single(), True, 97, first_position=2, vocab_size=97, is_decoder=True, pad_token_id=1, **TINY),
    "xlm-roberta-decoder": Case("XLMRobertaForCausalLM", single(), True, 97, first_position=2, vocab_size=97, is_decoder=True, pad_token_id=1, **TINY),
    "xlm-roberta-xl-decoder": Case("XLMRobertaXLForCausalLM", single(), True, 97, first_position=2, vocab_size=97, is_decoder=True, pad_token_id=1, **TINY),
    "electra-decoder": Case("ElectraForCausalLM", single(), True, 97, vocab_size=97, is_decoder=True, embedding_size=12, **TINY),
    "megatron-bert": Case("MegatronBertModel", single(), vocab=97, vocab_size=97, **TINY),
    "megatron-bert-mlm": Case("MegatronBertForMaskedLM", single(token_type_ids=lambda a: a % 2), vocab=97, vocab_size=97, **TINY),
    "megatron-bert-decoder": Case("MegatronBertForCausalLM", single(), True, 97, vocab_size=97, is_decoder=True, **TINY),
    "llama-qa": Case("LlamaForQuestionAnswering", single(), vocab=97, **TINY_LLAMA),
    "qwen2-qa": Case("Qwen2ForQuestionAnswering", single(), vocab=97, **TINY_LLAMA),
    "qwen3-qa": Case("Qwen3ForQuestionAnswering", single(), vocab=97, head_dim=8, **TINY_LLAMA),
    "mistral-qa": Case("MistralForQuestionAnswering", single(), vocab=97, **TINY_LLAMA),
    "opt-qa": Case("OPTForQuestionAnswering", single(), vocab=97, vocab_size=97, ffn_dim=28, word_embed_proj_dim=10, do_layer_norm_before=False,
                   **{k: v for k, v in TINY.items() if k != "intermediate_size"}),
    "openai-gpt-doubleheads": Case("OpenAIGPTDoubleHeadsModel", double_heads, vocab=97, vocab_size=97, n_embd=24, n_layer=2, n_head=3, n_positions=40),
    "openai-gpt-types": Case("OpenAIGPTModel", typed, vocab=97, vocab_size=97, n_embd=24, n_layer=2, n_head=3, n_positions=40),
    "ctrl-types": Case("CTRLModel", typed, vocab=97, vocab_size=97, n_embd=24, n_layer=2, n_head=3, n_positions=40, dff=28),
    "clip-text": Case("CLIPTextModel", single(), vocab=97, **TINY_CLIP_TEXT),
    "clip-text-projection": Case("CLIPTextModelWithProjection", single(), vocab=97, **TINY_CLIP_TEXT),
    "clip-vision": Case("CLIPVisionModel", pictures, **TINY_CLIP_IMAGE),
    "clip-vision-projection": Case("CLIPVisionModelWithProjection", pictures, **TINY_CLIP_IMAGE),
    "clip-imgcls": Case("CLIPForImageClassification", pictures, text_config=TINY_CLIP_TEXT, vision_config=TINY_CLIP_IMAGE, num_labels=3),
    "lxmert-qa": Case("LxmertForQuestionAnswering", regions, vocab=97, **TINY_LXMERT),
    "lxmert-pretraining": Case("LxmertForPreTraining", regions, vocab=97, **TINY_LXMERT),
    "t5-seqcls": Case("T5ForSequenceClassification", ended, vocab=97, num_labels=3, **TINY_T5),
    "t5-tokcls": Case("T5ForTokenClassification", single(), vocab=97, num_labels=3, **TINY_T5),
    "mt5-seqcls": Case("MT5ForSequenceClassification", ended, vocab=97, num_labels=3, **TINY_T5),
    "mt5-tokcls": Case("MT5ForTokenClassification", single(), vocab=97, num_labels=3, **TINY_T5),
    "prophetnet-model": Case("ProphetNetModel", pair, False, (97, 97), id2label=None, **TINY_PROPHETNET),
    "prophetnet-decoder": Case("ProphetNetForCausalLM", single(), True, 97, id2label=None, **TINY_PROPHETNET),
    "prophetnet-decoder-only": Case("ProphetNetDecoder", single(), vocab=97, id2label=None, **dict(TINY_PROPHETNET, add_cross_attention=False)),
    "prophetnet-encoder": Case("ProphetNetEncoder", single(), vocab=97, id2label=None, **TINY_PROPHETNET),
    "m2m100": Case("M2M100ForConditionalGeneration", pair, True, (97, 97), vocab_size=97, activation_function="relu", scale_embedding=True, **TINY_SEQ2SEQ),
    "nllb": Case("M2M100ForConditionalGeneration", pair, True, (89, 89), vocab_size=89, activation_function="gelu", scale_embedding=False,
                 **dict(TINY_SEQ2SEQ, d_model=30)),
    "blenderbot-small": Case("BlenderbotSmallForConditionalGeneration", pair, True, (97, 97), spread=0.7, vocab_size=97, **TINY_SEQ2SEQ),
    "fsmt": Case("FSMTForConditionalGeneration", pair, True, (97, 71), dict(use_cache=False), False, spread=0.8, unsaved="embed_positions.weight", src_vocab_size=97, tgt_vocab_size=71, langs=["en", "de"],
                 **TINY_SEQ2SEQ),
    "led": Case("LEDForConditionalGeneration", pair_with_global, True, (97, 97), vocab_size=97, attention_window=[4, 8], max_encoder_position_embeddings=48,
                max_decoder_position_embeddings=40, **{k: v for k, v in TINY_SEQ2SEQ.items() if k != "max_position_embeddings"}),
    "deberta-v2-conv": Case("DebertaV2ForMaskedLM", single(), vocab=97, vocab_size=97, conv_kernel_size=3, conv_act="gelu", conv_groups=2, relative_attention=True,
                            position_buckets=4, max_relative_positions=-1, pos_att_type=["c2p", "p2c"], share_att_key=True, norm_rel_ebd="layer_norm",
                            position_biased_input=False, type_vocab_size=0, legacy=False, **TINY),
    "gpt2-types": Case("GPT2LMHeadModel", typed, vocab=97, vocab_size=97, pad_token_id=0, **TINY_GPT2),
    "gpt2-qa": Case("GPT2ForQuestionAnswering", single(), vocab=97, vocab_size=97, pad_token_id=0, **TINY_GPT2),
    "gpt2-tokcls": Case("GPT2ForTokenClassification", single(), vocab=97, vocab_size=97, pad_token_id=0, num_labels=3, **TINY_GPT2),
    "led-qa": Case("LEDForQuestionAnswering", ended, vocab=97, vocab_size=97, attention_window=[4, 8], max_encoder_position_embeddings=48,
                   max_decoder_position_embeddings=40, **{k: v for k, v in TINY_SEQ2SEQ.items() if k != "max_position_embeddings"}),
    "longformer-mc": Case("LongformerForMultipleChoice", choices, vocab=97, vocab_size=97, attention_window=[4, 6], pad_token_id=1, sep_token_id=2, **TINY),
    "mbart-seqcls": Case("MBartForSequenceClassification", ended, vocab=97, vocab_size=97, num_labels=3, **TINY_SEQ2SEQ),
    "pegasus-model": Case("PegasusModel", pair, vocab=(97, 97), vocab_size=97, **TINY_SEQ2SEQ),
    "t5-qa": Case("T5ForQuestionAnswering", ended, vocab=97, **TINY_T5),
    "xlm-beam-qa": Case("XLMForQuestionAnswering", single(), vocab=97, vocab_size=97, emb_dim=24, n_layers=2, n_heads=3, max_position_embeddings=40, start_n_top=3,
                        end_n_top=4, pad_token_id=2),
    "xlnet-beam-qa": Case("XLNetForQuestionAnswering", single(), vocab=97, vocab_size=97, d_model=24, n_layer=2, n_head=3, d_inner=28, start_n_top=3, end_n_top=4),
    "vit-masked": Case("ViTForMaskedImageModeling", hidden_patches, **TINY_VIT),
    "deit-masked": Case("DeiTForMaskedImageModeling", hidden_patches, **TINY_VIT),
    # transformers 5 ties the output table whatever the configuration says: these are made by 4.57.
    "umt5": Case("UMT5ForConditionalGeneration", pair, True, (97, 97), tie_word_embeddings=False, **TINY_T5),
    "umt5-tokcls": Case("UMT5ForTokenClassification", single(), vocab=97, num_labels=3, **TINY_T5),
    "whisper-times": Case("WhisperForConditionalGeneration", heard, "times", 97, spread=0.5, **TINY_WHISPER),
    "prophetnet": Case("ProphetNetForConditionalGeneration", pair, True, (97, 97), id2label=None, **TINY_PROPHETNET),
}


def draw(model, seed, case):
    generator = torch.Generator().manual_seed(seed)
    shared = set()
    for name, tensor in model.named_parameters():
        if tensor.data_ptr() in shared or case.unsaved and name.endswith(case.unsaved):
            continue
        shared.add(tensor.data_ptr())
        noise = torch.randn(tensor.shape, generator=generator)
        isNorm = "norm" in name.lower() and tensor.dim() == 1
        tensor.data = 1 + 0.2 * noise if isNorm and name.endswith("weight") else (0.2 if tensor.dim() == 1 else case.spread) * noise
    for name, tensor in model.named_buffers():
        if name == "final_logits_bias":
            tensor.copy_(0.3 * torch.randn(tensor.shape, generator=generator))


def nudged(model, seed):
    other = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(seed)
    for tensor in other.parameters():
        tensor.data = tensor.data * (1 + 2e-6 * torch.randn(tensor.shape, generator=generator))
    return other


def record(outputs):
    """Tensors of a ModelOutput by name, tuples numbered, and the hidden states among them."""
    found, debug = {}, {}
    for name, value in outputs.items():
        into = debug if "hidden_states" in name else found
        if isinstance(value, torch.Tensor):
            into[name] = value
        elif isinstance(value, tuple) and value and all(isinstance(v, torch.Tensor) for v in value):
            into.update({f"{name}.{i}": v for i, v in enumerate(value)})
    return found, debug


def difference(a, b):
    finite = torch.isfinite(a) & torch.isfinite(b)
    return float((a.double() - b.double())[finite].abs().max()) if finite.any() else 0.0


def generations(config, target):
    """(name, params) of each recorded search; eos ids of None are chosen from the free run."""
    base = dict(max_new_tokens=12, do_sample=False, pad_token_id=config.pad_token_id)
    beam = dict(base, num_beams=4, length_penalty=1.0, early_stopping=False)
    if target == "times":
        base.update(max_new_tokens=24, decoder_start_token_id=config.decoder_start_token_id, eos_token_id=70, return_timestamps=True, no_timestamps_token_id=80,
                    max_initial_timestamp_index=4)
        yield "greedy", dict(base, num_beams=1)
        yield "beam", dict(base, num_beams=3)
        return
    if target is None:  # a decoder alone
        yield "greedy", dict(base, num_beams=1)
        yield "beam", beam
        return
    base["decoder_start_token_id"] = beam["decoder_start_token_id"] = config.decoder_start_token_id
    yield "greedy", dict(base, num_beams=1)
    yield "greedy_forced_bos", dict(base, num_beams=1, forced_bos_token_id=target - 3)
    yield "beam", beam
    yield "beam_eos", dict(beam, eos_token_id=None)
    yield "beam_forced_eos", dict(beam, early_stopping=True, eos_token_id=2, forced_eos_token_id=2, no_repeat_ngram_size=3)


def transcribe(model, inputs, params):
    """Whisper's rule for times in an otherwise plain search, without the cutting of long audio around it."""
    config = GenerationConfig(**params, output_scores=True, return_dict_in_generate=True)
    times = LogitsProcessorList([WhisperTimeStampLogitsProcessor(config, begin_index=1)])
    return GenerationMixin.generate(model, **inputs, generation_config=config, logits_processor=times)


def search(model, inputs, params, first_position=None):
    if "return_timestamps" in params:
        return transcribe(model, inputs, params)
    model.generation_config = GenerationConfig(**params, output_scores=True, return_dict_in_generate=True)
    if first_position is not None:
        rows, length = inputs["input_ids"].shape
        inputs = dict(inputs, position_ids=torch.arange(first_position, first_position + length).expand(rows, length))
    return model.generate(**inputs)


def main(name, out):
    case = CASES[name]
    cls = getattr(transformers, case.cls)
    torch.manual_seed(1)
    torch.set_num_threads(1)
    config = cls.config_class(**{k: v for k, v in case.config.items() if v is not None})
    config._attn_implementation = "eager"
    model = cls(config).eval()
    draw(model, 1, case)
    model.save_pretrained(out, state_dict={k: v for k, v in model.state_dict().items() if not case.unsaved or not k.endswith(case.unsaved)})
    model = cls.from_pretrained(out, attn_implementation="eager").eval()
    wide = cls.from_pretrained(out, attn_implementation="eager").eval().double()
    tensors, calls = {}, []

    def keep(call, kind, values):
        for key, value in values.items():
            value = value.detach().contiguous()
            tensors[f"{call}.{kind}.{key}"] = (value.to(torch.uint8) if value.dtype == torch.bool else value).clone()
        return list(values)

    with torch.no_grad():
        for call, inputs, mask in case.calls(case, config):
            states = {"output_hidden_states": True} if call == "fwd0" else {}
            found, debug = record(model(**inputs, **case.forward, **states, return_dict=True))
            kept = {k: v for k, v in found.items() if k not in ("past_key_values", "loss")}
            entry = dict(name=call, kind="forward", inputs=keep(call, "in", inputs), outputs=keep(call, "out", kept), debug=keep(call, "dbg", debug))
            if mask:
                entry["compare_mask"] = mask
            if case.in_f64:
                wider, _ = record(wide(**{k: v.double() if v.is_floating_point() else v for k, v in inputs.items()}, **case.forward, return_dict=True))
                entry["fp64_max_abs_diff"] = max(difference(v, wider[k]) for k, v in kept.items())
            calls.append(entry)
        if case.generate:
            isPair = isinstance(case.vocab, tuple)
            for call, params in generations(config, case.vocab[1] if isPair else "times" if case.generate == "times" else None):
                for seed in range(200):
                    torch.manual_seed(1000 + seed)
                    if isPair:
                        a, mask = padded(ids(case.vocab[0], 2, 11), [11, 8], config.pad_token_id)
                        inputs = dict(input_ids=a, attention_mask=mask)
                    elif case.generate == "times":
                        inputs = dict(input_features=spectrum(config))
                    else:
                        inputs = dict(input_ids=ids(case.vocab, 2, 6))
                    if "eos_token_id" in params and params["eos_token_id"] is None or call == "beam_eos":
                        free = search(model, inputs, {k: v for k, v in params.items() if k != "eos_token_id"})
                        params["eos_token_id"] = int(free.sequences[0, 4])
                    result = search(model, inputs, params, case.first_position)
                    others = [search(nudged(model, i), inputs, params, case.first_position).sequences for i in range(4)]
                    stable = all(o.shape == result.sequences.shape and bool((o == result.sequences).all()) for o in others)
                    varied = len(set(result.sequences[0].tolist())) > 3 and not bool((result.sequences[0] == result.sequences[1]).all())
                    if stable and varied:
                        break
                else:
                    sys.exit(f"{name}: {call}: no stable input found")
                outputs = dict(sequences=result.sequences)
                debug = {}
                if params.get("num_beams", 1) > 1:
                    outputs["sequences_scores"] = result.sequences_scores
                elif call == "greedy":
                    debug["scores"] = torch.stack(result.scores[:4])
                calls.append(dict(name=call, kind="generate", inputs=keep(call, "in", inputs), outputs=keep(call, "out", outputs), debug=keep(call, "dbg", debug),
                                  params=params))
    save_file(tensors, f"{out}/golden.safetensors")
    about = dict(case=name, arch=config.model_type, cls=case.cls, seed=1, torch=torch.__version__.split("+")[0], transformers=transformers.__version__, calls=calls)
    with open(f"{out}/golden.json", "w") as file:
        file.write(json.dumps(about, indent=1) + "\n")


if len(sys.argv) != 3 or sys.argv[1] not in CASES:
    sys.exit(__doc__ + "cases: " + ", ".join(CASES))
main(*sys.argv[1:])
