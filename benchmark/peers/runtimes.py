"""One class per compared runtime. Each reads a checkpoint that checkpoints.py wrote and answers three calls:

  prompt(ids)          ids [B, S] int64 -> f32 array: GPT-2 and the recurrent models, logits of the last token [B, V]; BERT,
                       the last hidden state [B, S, C]
  continue_(ids, n)    GPT-2: greedy, n more tokens after ids -> seconds that the n steps took, without the prompt
  translate(ids, n)    T5, Marian: encodes ids, then n greedy steps -> seconds

A runtime that lacks a model or a dtype says so by `models` and `dtypes`.
"""

import os
import time
from pathlib import Path

import numpy as np

from . import checkpoints


RECURRENT = checkpoints.RECURRENT_MODELS


class Runtime:
    name = ""
    models = ()
    dtypes = ("f32",)

    def __init__(self, checkpoint, model, dtype, threads, cache):
        """`checkpoint`: the model's directory; `cache`: a directory for converted files, kept between runs."""
        self.checkpoint, self.model, self.dtype, self.threads = Path(checkpoint), model, dtype, threads
        self.cache = Path(cache)
        self.cache.mkdir(parents=True, exist_ok=True)
        self.load()

    def load(self):
        raise NotImplementedError

    def prompt(self, ids):
        raise NotImplementedError

    def continue_(self, ids, count):
        raise NotImplementedError

    def translate(self, ids, count):
        raise NotImplementedError


class Torch(Runtime):
    name = "torch"
    models = ("gpt2", "bert", "t5", "marian", *RECURRENT)
    dtypes = ("f32", "bf16", "int8")

    def load(self):
        import torch

        from . import modules

        torch.set_num_threads(self.threads)
        torch.set_grad_enabled(False)
        self.module = modules.load(self.model, self.checkpoint)
        if self.dtype == "bf16":
            self.module = self.module.to(torch.bfloat16)
        elif self.dtype == "int8":
            self.module = modules.quantised(self.module)
        self.call = self.module

    def prompt(self, ids):
        import torch

        ids = torch.from_numpy(ids)
        if self.model == "gpt2":
            return self.call(ids, *self.module.empty_cache(len(ids)))[0].float().numpy()
        return self.call(ids).float().numpy()

    def continue_(self, ids, count):
        import torch

        logits, *cache = self.call(torch.from_numpy(ids), *self.module.empty_cache(len(ids)))
        start = time.perf_counter()
        for _ in range(count):
            logits, *cache = self.call(logits.argmax(-1, keepdim=True), *cache)
        return time.perf_counter() - start

    def translate(self, ids, count):
        import torch

        start = time.perf_counter()
        self.module.generate(torch.from_numpy(ids), min_new_tokens=count, max_new_tokens=count, do_sample=False)
        return time.perf_counter() - start


class TorchCompile(Torch):
    name = "torch.compile"
    models = ("gpt2", "bert", "lstm")
    dtypes = ("f32", "bf16")

    def load(self):
        super().load()
        import torch

        torch._inductor.config.freezing = True
        self.call = torch.compile(self.module, dynamic=False)

    def continue_(self, ids, count):
        raise NotImplementedError  # a new shape, so a new compilation, each step


class OnnxRuntime(Runtime):
    name = "onnxruntime"
    models = ("gpt2", "bert", *RECURRENT)
    dtypes = ("f32", "int8")

    def load(self):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        path = export_onnx(self.model, self.checkpoint, self.cache)
        if self.dtype == "int8":
            import onnx
            from onnxruntime.quantization import QuantType, quantize_dynamic

            target = self.cache / f"{self.model}-int8.onnx"
            if not target.exists():
                quantize_dynamic(str(path), str(target), weight_type=QuantType.QInt8,
                                 use_external_data_format=True,
                                 extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})
            path = target
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.inputs = [value.name for value in self.session.get_inputs()]
        self.outputs = [value.name for value in self.session.get_outputs()]

    def empty_cache(self, batch):
        shape = self.session.get_inputs()[1].shape
        return [np.zeros((batch, shape[1], 0, shape[3]), np.float32) for _ in self.inputs[1:]]

    def prompt(self, ids):
        values = [ids] + (self.empty_cache(len(ids)) if self.model == "gpt2" else [])
        return self.session.run(self.outputs[:1], dict(zip(self.inputs, values)))[0]

    def continue_(self, ids, count):
        logits, *cache = self.session.run(None, dict(zip(self.inputs, [ids] + self.empty_cache(len(ids)))))
        start = time.perf_counter()
        for _ in range(count):
            ids = logits.argmax(-1)[:, None]
            logits, *cache = self.session.run(None, dict(zip(self.inputs, [ids] + cache)))
        return time.perf_counter() - start


class OpenVino(Runtime):
    name = "openvino"
    models = ("gpt2", "bert", *RECURRENT)
    dtypes = ("f32", "bf16", "int8")

    def load(self):
        import openvino

        source = openvino.Core().read_model(self.convert(openvino))
        self.variants, self.openvino, self.source = {}, openvino, source

    def convert(self, openvino):
        """The model in OpenVINO's own format; int8 by weight compression."""
        path = self.cache / f"{self.model}-{'int8' if self.dtype == 'int8' else 'f32'}.xml"
        if path.exists():
            return path
        import torch

        from . import modules

        torch.set_grad_enabled(False)
        module = modules.load(self.model, self.checkpoint)
        example = (torch.ones(2, 3, dtype=torch.int64), *(module.empty_cache(2, 4) if self.model == "gpt2" else ()))
        converted = openvino.convert_model(module, example_input=example)
        for i, value in enumerate(converted.inputs):
            value.get_tensor().set_names({f"in{i}"})
        for i, value in enumerate(converted.outputs):
            value.get_tensor().set_names({f"out{i}"})
        if self.dtype == "int8":
            import nncf

            converted = nncf.compress_weights(converted)
        openvino.save_model(converted, path, compress_to_fp16=False)
        return path

    def request(self, batch):
        """A request for one batch size: the cache becomes state, which needs a fixed batch."""
        if batch in self.variants:
            return self.variants[batch]
        model = self.source.clone()
        if self.model == "gpt2":
            from openvino._offline_transformations import apply_make_stateful_transformation

            caches = [value.get_any_name() for value in model.inputs[1:]]
            heads, width = 12, 64
            model.reshape({model.inputs[0].get_any_name(): [batch, -1],
                           **{name: [batch, heads, -1, width] for name in caches}})
            apply_make_stateful_transformation(model, {f"in{i}": f"out{i}" for i in range(1, len(caches) + 1)})
        config = {"INFERENCE_NUM_THREADS": self.threads, "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1,
                  "INFERENCE_PRECISION_HINT": "bf16" if self.dtype == "bf16" else "f32"}
        self.variants[batch] = self.openvino.Core().compile_model(model, "CPU", config).create_infer_request()
        return self.variants[batch]

    def prompt(self, ids):
        request = self.request(len(ids))
        if self.model == "gpt2":
            request.reset_state()
        return request.infer([ids], share_inputs=True)[0]

    def continue_(self, ids, count):
        logits = self.prompt(ids)
        request = self.request(len(ids))
        start = time.perf_counter()
        for _ in range(count):
            logits = request.infer([logits.argmax(-1)[:, None]], share_inputs=True)[0]
        return time.perf_counter() - start


class CTranslate2(Runtime):
    name = "ctranslate2"
    models = ("gpt2", "bert", "t5", "marian")
    dtypes = ("f32", "int8")

    def load(self):
        import ctranslate2

        target = self.cache / f"{self.model}-ct2"
        if not target.exists():
            from ctranslate2.converters import TransformersConverter

            TransformersConverter(str(self.checkpoint)).convert(str(target))
        kind = {"gpt2": ctranslate2.Generator, "bert": ctranslate2.Encoder, "t5": ctranslate2.Translator,
                "marian": ctranslate2.Translator}[self.model]
        self.runner = kind(str(target), device="cpu", intra_threads=self.threads, inter_threads=1,
                           compute_type={"f32": "float32", "int8": "int8"}[self.dtype])

    def prompt(self, ids):
        if self.model == "bert":
            return np.array(self.runner.forward_batch(ids.tolist()).last_hidden_state)
        self._generate(ids, 1)
        return None  # it gives tokens, no logits, without computing those of every position

    def continue_(self, ids, count):
        # No step to call: the time of a prompt with count + 1 tokens less that of a prompt with one.
        start = time.perf_counter()
        self._generate(ids, 1)
        one = time.perf_counter() - start
        start = time.perf_counter()
        self._generate(ids, 1 + count)
        return time.perf_counter() - start - one

    def translate(self, ids, count):
        start = time.perf_counter()
        self.runner.translate_batch(self._words(ids), beam_size=1, min_decoding_length=count, max_decoding_length=count)
        return time.perf_counter() - start

    def _generate(self, ids, count):
        self.runner.generate_batch(self._words(ids), beam_size=1, min_length=count, max_length=count,
                                   include_prompt_in_result=False)

    def _words(self, ids):
        return [[f"w{i}" for i in row] for row in ids]


class LlamaCpp(Runtime):
    name = "llama.cpp"
    models = ("gpt2",)
    dtypes = ("f32", "bf16", "int8", "q8", "q4")  # int8 and q8: q8_0, q4: q4_0

    def load(self):
        import llama_cpp

        path = write_gguf(self.checkpoint, self.dtype, self.cache)
        self.api = llama_cpp
        self.quiet = llama_cpp.llama_log_callback(lambda level, text, data: None)
        llama_cpp.llama_log_set(self.quiet, None)
        llama_cpp.llama_backend_init()
        self.weights = llama_cpp.llama_model_load_from_file(str(path).encode(), llama_cpp.llama_model_default_params())
        if not self.weights:
            raise RuntimeError(f"llama.cpp does not load {path}")
        self.context = None
        self.batch_size = 0

    def _context(self, batch):
        if batch != self.batch_size:
            if self.context:
                self.api.llama_free(self.context)
            params = self.api.llama_context_default_params()
            params.n_ctx, params.n_batch, params.n_ubatch, params.n_seq_max = 1024 * batch, 512 * batch, 512, batch
            params.n_threads = params.n_threads_batch = self.threads
            self.context, self.batch_size = self.api.llama_init_from_model(self.weights, params), batch
        self.api.llama_memory_clear(self.api.llama_get_memory(self.context), True)

    def _decode(self, ids, first):
        """Runs ids [B, S] at positions first.. and returns the last logits [B, V]."""
        rows, length = ids.shape
        batch = self.api.llama_batch_init(rows * length, 0, 1)
        batch.n_tokens = rows * length
        last = []
        for row in range(rows):
            for column in range(length):
                at = row * length + column
                batch.token[at], batch.pos[at] = int(ids[row, column]), first + column
                batch.n_seq_id[at], batch.seq_id[at][0] = 1, row
                batch.logits[at] = column == length - 1
            last.append(row * length + length - 1)
        if self.api.llama_decode(self.context, batch):
            raise RuntimeError("llama_decode failed")
        size = 50257
        logits = np.stack([np.ctypeslib.as_array(self.api.llama_get_logits_ith(self.context, at), (size,)).copy()
                           for at in last])
        self.api.llama_batch_free(batch)
        return logits

    def prompt(self, ids):
        self._context(len(ids))
        return self._decode(ids, 0)

    def continue_(self, ids, count):
        logits = self.prompt(ids)
        start = time.perf_counter()
        for step in range(count):
            logits = self._decode(logits.argmax(-1)[:, None], ids.shape[1] + step)
        return time.perf_counter() - start


RUNTIMES = {kind.name: kind for kind in (OpenVino, OnnxRuntime, CTranslate2, LlamaCpp, Torch, TorchCompile)}


def export_onnx(model, checkpoint, cache):
    """The ONNX file of a checkpoint, made once. BERT goes through ONNX Runtime's own fusions for transformers."""
    path = cache / f"{model}.onnx"
    if path.exists():
        return path
    import torch

    from . import modules

    torch.set_grad_enabled(False)
    module = modules.load(model, checkpoint)
    arguments, names, outputs = [torch.ones(2, 3, dtype=torch.int64)], ["ids"], ["out"]
    axes = {"ids": {0: "batch", 1: "length"}}
    if model == "gpt2":
        caches = module.empty_cache(2, 4)
        names += [f"past{i}" for i in range(len(caches))]
        outputs += [f"present{i}" for i in range(len(caches))]
        axes.update({name: {0: "batch", 2: "past"} for name in names[1:]})
        axes.update({name: {0: "batch", 2: "total"} for name in outputs[1:]})
        arguments += caches
    torch.onnx.export(module, tuple(arguments), str(path), input_names=names, output_names=outputs,
                      dynamic_axes=axes, opset_version=17, dynamo=False)
    if model == "bert":
        from onnxruntime.transformers import optimizer

        optimizer.optimize_model(str(path), "bert", num_heads=12, hidden_size=768).save_model_to_file(str(path))
    return path


def write_gguf(checkpoint, dtype, cache):
    """GPT-2 in llama.cpp's file format; matrices in the dtype's storage, the rest in f32."""
    path = cache / f"gpt2-{dtype}.gguf"
    if path.exists():
        return path
    import gguf
    from safetensors.numpy import load_file

    kind = {"f32": gguf.GGMLQuantizationType.F32, "bf16": gguf.GGMLQuantizationType.BF16,
            "int8": gguf.GGMLQuantizationType.Q8_0, "q8": gguf.GGMLQuantizationType.Q8_0,
            "q4": gguf.GGMLQuantizationType.Q4_0}[dtype]
    weights = {name.removeprefix("transformer."): value
               for name, value in load_file(checkpoint / "model.safetensors").items()}
    writer = gguf.GGUFWriter(str(path) + ".part", "gpt2")
    writer.add_context_length(1024)
    writer.add_embedding_length(768)
    writer.add_block_count(12)
    writer.add_feed_forward_length(3072)
    writer.add_head_count(12)
    writer.add_layer_norm_eps(1e-5)
    writer.add_tokenizer_model("none")
    writer.add_vocab_size(50257)

    def add(name, value, matrix=False):
        if matrix and kind != gguf.GGMLQuantizationType.F32:
            writer.add_tensor(name, gguf.quants.quantize(value, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, value)

    add("token_embd.weight", weights["wte.weight"], True)
    add("position_embd.weight", weights["wpe.weight"])
    names = {"ln_1": "attn_norm", "ln_2": "ffn_norm", "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output",
             "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down"}
    for layer in range(12):
        for theirs, ours in names.items():
            value = weights[f"h.{layer}.{theirs}.weight"]
            matrix = value.ndim == 2
            add(f"blk.{layer}.{ours}.weight", np.ascontiguousarray(value.T) if matrix else value, matrix)
            add(f"blk.{layer}.{ours}.bias", weights[f"h.{layer}.{theirs}.bias"])
    add("output_norm.weight", weights["ln_f.weight"])
    add("output_norm.bias", weights["ln_f.bias"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(str(path) + ".part", path)
    return path
