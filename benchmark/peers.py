#!/usr/bin/env python3
"""Times Sesame and the runtimes that people use instead, side by side in one run, on the same random weights.

usage: benchmark/peers.py [--models gpt2,bert,lstm,gru,t5,marian,lstm-64,...] [--dtypes f32,bf16,int8,q8,q4] [--threads 1,2] [--repeat 5]
                          [--peers openvino,...] [--work DIR] [--json FILE] [--table FILE] [--chart FILE]
       benchmark/peers.py --from FILE... [--json FILE] [--table FILE] [--chart FILE]      joins earlier runs

The runtimes are installed from the Python package index into DIR/venv on the first run (several GB: PyTorch brings its CUDA
libraries along); Sesame is taken from --sesame. Each (runtime, model, dtype, threads) is a process of its own; Sesame is timed
before and after the others, so a drift of the machine shows. Reported: the median over the repetitions, after one that warms up.
The small recurrent models (lstm-64 to gru-512) run 40 times as often, since a run takes microseconds.
The dtypes q8 and q4 are weights in groups of 32: `sesame compile --weights int8|int4` beside llama.cpp's q8_0 and q4_0 (GPT-2 alone).
The fraction of the roofline is the time that the arithmetic (at the multiply-add rate of the dtype) or the weights' bytes (at the
read rate) need at least, divided by the measured time; both rates are measured here, by benchmark/roofline.cpp.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
import venv
from collections import namedtuple
from pathlib import Path

HERE = Path(__file__).resolve().parent

# kind: prompt, ragged, decode or translate; rows x tokens in; new: tokens that are generated. The rows of a ragged batch have
# from 1/8 of the tokens to all of them; the others pad it, so that theirs is the time of a prompt.
Workload = namedtuple("Workload", "kind batch tokens new")
WORKLOADS = {
    "gpt2": [Workload("prompt", 1, 128, 0), Workload("prompt", 1, 512, 0), Workload("decode", 1, 128, 64),
             Workload("decode", 8, 128, 32)],
    "bert": [Workload("prompt", 1, 128, 0), Workload("prompt", 8, 128, 0), Workload("ragged", 8, 128, 0)],
    "lstm": [Workload("prompt", batch, 128, 0) for batch in (1, 8, 32)],
    "gru": [Workload("prompt", batch, 128, 0) for batch in (1, 8, 32)],
    "t5": [Workload("translate", 1, 64, 32), Workload("translate", 8, 64, 32)],
    "marian": [Workload("translate", 1, 64, 32), Workload("translate", 8, 64, 32)],
}
TITLES = {"gpt2": "GPT-2 124M", "bert": "BERT-base", "lstm": "LSTM 2x1024", "gru": "GRU 2x1024", "t5": "T5-small",
          "marian": "Marian base"}
SMALL = []  # recurrent models of one layer, where what a step costs beside its arithmetic rules: lstm-64, gru-256, ...
for cell in ("lstm", "gru"):
    for width in (64, 256, 512):
        WORKLOADS[f"{cell}-{width}"] = [Workload("prompt", batch, tokens, 0) for batch in (1, 8, 32) for tokens in (1, 32, 128)]
        TITLES[f"{cell}-{width}"] = f"{cell.upper()} 1x{width}"
        SMALL.append(f"{cell}-{width}")
PEERS = ("openvino", "onnxruntime", "ctranslate2", "llama.cpp", "torch", "torch.compile")


def main():
    args = parse_arguments()
    if args.worker:
        return worker(json.loads(args.worker))
    work = Path(args.work)
    work.mkdir(parents=True, exist_ok=True)
    python = prepare_environment(work)
    if Path(sys.prefix).resolve() != (work / "venv").resolve():
        os.execv(python, [str(python), str(HERE / "peers.py"), *sys.argv[1:]])
    if args.earlier:
        runs = [json.loads(Path(path).read_text()) for path in args.earlier]
        result = dict(runs[0], records=[record for run in runs for record in run["records"]])
        result["roofline"] = {name: statistics.median(run["roofline"][name] for run in runs)
                              for name in runs[0]["roofline"]}
    else:
        before = measure_roofline(args)
        records = measure_all(args, work, python)
        after = measure_roofline(args)  # a shared machine's memory is not the same all the time
        result = {"machine": describe_machine(), "date": time.strftime("%Y-%m-%d"),
                  "roofline": {name: (before[name] + after[name]) / 2 for name in before}, "records": records}
    if args.json:
        Path(args.json).write_text(json.dumps(result, indent=1) + "\n")
    table = make_table(result)
    print(table)
    if args.table:
        Path(args.table).write_text(table)
    if args.chart:
        draw_chart(result, args.chart)
    return 0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words = lambda text: text.split(",")
    parser.add_argument("--models", type=words, default=list(WORKLOADS))
    parser.add_argument("--dtypes", type=words, default=["f32", "bf16", "int8", "q8", "q4"])
    parser.add_argument("--threads", type=lambda text: [int(n) for n in text.split(",")], default=[1, 2])
    parser.add_argument("--peers", type=words, default=list(PEERS))
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--work", default="build/peers", help="environment, checkpoints and converted models")
    parser.add_argument("--sesame", default="build/bin/sesame")
    parser.add_argument("--roofline", default="build/bin/roofline-benchmark")
    parser.add_argument("--from", dest="earlier", nargs="+", metavar="FILE", help="what --json wrote, instead of measuring")
    parser.add_argument("--json", help="write every figure here")
    parser.add_argument("--table", help="write the table (Markdown) here")
    parser.add_argument("--chart", help="write a chart (PNG) here")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args()
    for option, known in (("models", WORKLOADS), ("peers", PEERS)):
        for name in getattr(args, option):
            if name not in known:
                parser.error(f"--{option}: '{name}' is not one of {', '.join(known)}")
    return args


def prepare_environment(work):
    """The Python of the peers' own environment, made on the first run."""
    folder = work / "venv"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        print(f"installing the compared runtimes into {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-r", HERE / "peers" / "requirements.txt"], check=True,
                       env=dict(os.environ, CMAKE_ARGS="-DGGML_NATIVE=ON"))
        (folder / "ready").touch()
    return python.absolute()


def measure_all(args, work, python):
    """Runs every combination; returns a list of records, one a (runtime, model, dtype, threads, workload)."""
    records = []
    for model in args.models:
        checkpoint = work / "models" / model
        run_worker(python, {"task": "checkpoint", "model": model, "checkpoint": str(checkpoint)})
        for dtype in args.dtypes:
            if dtype in ("q8", "q4") and model != "gpt2":
                continue
            for threads in args.threads:
                common = {"model": model, "dtype": dtype, "threads": threads, "checkpoint": str(checkpoint),
                          "cache": str(work / "converted"), "repeat": args.repeat * (40 if model in SMALL else 1)}
                runs = [measure_sesame(args, work, common)]
                for peer in args.peers:
                    runs.append(run_worker(python, {"task": "measure", "runtime": peer, **common}))
                runs[0] = merge(runs[0], measure_sesame(args, work, common))
                for run in filter(None, runs):
                    records += run
                    for record in run:
                        show(record)
    return records


def show(record):
    value = f"{record['ms']:9.2f} ms" if "ms" in record else record["failed"]
    print(f"{record['runtime']:14} {record['model']:5} {record['dtype']:5} {record['threads']} thread(s) "
          f"{describe(Workload(*record['workload'])):32} {value}", file=sys.stderr, flush=True)


def describe(workload):
    if workload.kind == "prompt":
        return f"{workload.tokens} tokens, batch {workload.batch}"
    if workload.kind == "ragged":
        return f"{ragged_lengths(workload)[0]} to {workload.tokens} tokens, batch {workload.batch}"
    if workload.kind == "decode":
        return f"each step after {workload.tokens}, batch {workload.batch}"
    return f"encode {workload.tokens}, decode {workload.new}, batch {workload.batch}"


def ragged_lengths(workload):
    return [workload.tokens * (row + 1) // workload.batch for row in range(workload.batch)]


def run_worker(python, task):
    """Runs one task in a process of its own; a failure is a record with its reason."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(task.get("threads", 2)), TOKENIZERS_PARALLELISM="false",
                       HF_HUB_OFFLINE="1", PYTHONWARNINGS="ignore")
    run = subprocess.run([python, HERE / "peers.py", "--worker", json.dumps(task)], env=environment, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for line in run.stdout.splitlines():
        if line.startswith("RESULT "):
            return json.loads(line[len("RESULT "):])
    reason = (run.stderr.strip().splitlines() or [f"exit status {run.returncode}"])[-1][:200]
    if task["task"] == "checkpoint":
        sys.exit(f"error: cannot write the {task['model']} checkpoint: {reason}")
    return [dict(runtime=task["runtime"], model=task["model"], dtype=task["dtype"], threads=task["threads"],
                 workload=list(workload), failed=reason) for workload in WORKLOADS[task["model"]]]


def worker(task):
    """Inside the peers' environment: one checkpoint, or one runtime's figures for one model, dtype and thread count."""
    sys.path.insert(0, str(HERE))
    from peers import checkpoints, runtimes

    if task["task"] == "checkpoint":
        checkpoints.write(task["model"], task["checkpoint"])
        print("RESULT null")
        return 0
    import resource

    kind = runtimes.RUNTIMES[task["runtime"]]
    if task["model"] not in kind.models or task["dtype"] not in kind.dtypes:
        print("RESULT null")
        return 0
    start = time.perf_counter()
    runtime = kind(task["checkpoint"], task["model"], task["dtype"], task["threads"], task["cache"])
    load = time.perf_counter() - start
    records = []
    for workload in WORKLOADS[task["model"]]:
        record = dict(runtime=kind.name, model=task["model"], dtype=task["dtype"], threads=task["threads"],
                      workload=list(workload), load_ms=load * 1e3)
        try:
            seconds = measure(runtime, workload, checkpoints.vocabulary_size(task["model"]), task["repeat"])
            record["ms"] = statistics.median(seconds) * 1e3
            record["best_ms"] = min(seconds) * 1e3
        except NotImplementedError:
            continue
        except Exception as error:  # a runtime's failure is a result
            record["failed"] = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        record["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        records.append(record)
    print("RESULT " + json.dumps(records))
    return 0


def measure(runtime, workload, vocabulary, repeat):
    """Seconds of each counted repetition; of a decode, for one step."""
    import numpy

    ids = (numpy.arange(workload.batch * workload.tokens) * 7919 + 13) % vocabulary
    ids = ids.reshape(workload.batch, workload.tokens).astype(numpy.int64)
    seconds = []
    for _ in range(repeat + 1):
        if workload.kind in ("prompt", "ragged"):
            start = time.perf_counter()
            runtime.prompt(ids)
            seconds.append(time.perf_counter() - start)
        elif workload.kind == "decode":
            seconds.append(runtime.continue_(ids, workload.new) / workload.new)
        else:
            seconds.append(runtime.translate(ids, workload.new))
    return seconds[1:]


def measure_sesame(args, work, task):
    """Sesame's records, or None where it has not the dtype."""
    bundle = work / "bundles" / f"{task['model']}-{task['dtype']}.bundle"
    compile_seconds = None
    manifest = bundle / "manifest.json"
    if not manifest.exists() or manifest.stat().st_mtime < newest_part(args.sesame):
        bundle.parent.mkdir(exist_ok=True)
        shutil.rmtree(bundle, ignore_errors=True)  # of an older compiler
        weights = {"q8": ["--weights", "int8"], "q4": ["--weights", "int4"]}
        start = time.perf_counter()
        run = subprocess.run([args.sesame, "compile", task["checkpoint"], "-o", bundle,
                              *weights.get(task["dtype"], ["--dtype", task["dtype"]])],
                             text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        compile_seconds = time.perf_counter() - start
        if run.returncode:
            print(f"sesame: {run.stderr.strip()}", file=sys.stderr)
            return None
    records = []
    for workload in WORKLOADS[task["model"]]:
        command = [args.sesame, "bench", bundle, "--json", "--threads", str(task["threads"]), "--batch",
                   str(workload.batch), "--prompt-tokens", str(workload.tokens), "--new-tokens", str(workload.new),
                   "--repeat", str(task["repeat"])]
        if workload.kind == "ragged":
            command += ["--lengths", ",".join(map(str, ragged_lengths(workload)))]
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit(f"error: {' '.join(map(str, command))} failed")
        figures = json.loads(text)
        ms = {"prompt": figures["prompt_ms"], "ragged": figures["prompt_ms"], "decode": figures.get("step_ms"),
              "translate": figures["prompt_ms"] + workload.new * figures.get("step_ms", 0)}[workload.kind]
        records.append(dict(runtime="sesame", model=task["model"], dtype=task["dtype"], threads=task["threads"],
                            workload=list(workload), ms=ms, best_ms=ms, load_ms=figures["load_ms"],
                            peak_mb=usage.ru_maxrss / 1024, compile_s=compile_seconds))
    return records


def newest_part(sesame):
    """When the compiler, or a library beside it, was built."""
    program = Path(sesame).resolve()
    return max(path.stat().st_mtime for path in [program, *(program.parent.parent / "lib").glob("libsesame*.so")])


def merge(first, second):
    """Two runs of Sesame: the mean of their medians, the better of their best."""
    if first is None:
        return None
    for a, b in zip(first, second):
        a["ms"], a["best_ms"] = (a["ms"] + b["ms"]) / 2, min(a["best_ms"], b["best_ms"])
    return first


def measure_roofline(args):
    """Rates by name and thread count, from benchmark/roofline.cpp: operations or bytes a second."""
    run = subprocess.run([args.roofline, "--benchmark_format=json"], stdout=subprocess.PIPE, check=True, text=True)
    return {entry["name"].replace("/real_time", ""): entry["rate"]
            for entry in json.loads(run.stdout)["benchmarks"] if "rate" in entry}


def least_seconds(record, roofline):
    """What the arithmetic or the weights' bytes need at least."""
    workload, dtype, threads = Workload(*record["workload"]), record["dtype"], record["threads"]
    bytes_per_weight = {"f32": 4, "bf16": 2, "int8": 1, "q8": 8.5 / 8, "q4": 4.5 / 8}[dtype]
    rate = roofline[f"multiply_add_{ {'f32': 'f32', 'bf16': 'bf16'}.get(dtype, 'int8')}/threads:{threads}"]
    memory, cache = (roofline[f"read_{level}/threads:{threads}"] for level in ("memory", "l3"))
    rows = workload.batch * workload.tokens
    if record["model"] in ("gpt2", "bert"):
        layers, width, vocabulary = 12, 768, 50257
        weights = layers * 12 * width * width
        head = vocabulary * width if record["model"] == "gpt2" else 0
        if workload.kind == "decode":
            operations = 2 * workload.batch * (weights + head)
            bytes_ = (weights + head) * bytes_per_weight
            cache_bytes = 2 if dtype in ("bf16", "int8") else 4  # as Sesame keeps it
            bytes_ += workload.batch * 2 * layers * (workload.tokens + workload.new / 2) * width * cache_bytes
        else:
            lengths = ragged_lengths(workload) if workload.kind == "ragged" else [workload.tokens] * workload.batch
            pairs = layers * sum(n * (n + 1) / 2 if head else n**2 for n in lengths)
            products = sum(lengths) * weights
            if head:
                # The logits of the last token need keys and values of the last layer, and the rest for one token.
                products += workload.batch * head - (sum(lengths) - workload.batch) * 10 * width * width
                pairs -= sum(n * (n - 1) / 2 for n in lengths)
            operations = 2 * products + 4 * width * pairs
            bytes_ = (weights + head) * bytes_per_weight
        return max(operations / rate, bytes_ / memory)
    if record["model"].startswith(("lstm", "gru")):
        gates = 4 if record["model"].startswith("lstm") else 3
        width = int(record["model"].partition("-")[2] or 0)
        recurrent, inputs = 2 * gates * 1024 * 1024, gates * 1024 * (512 + 1024)
        if width:
            recurrent = inputs = gates * width * width
            # One layer: its share of the weights stays in a core's L2 cache up to 1 MB.
            if recurrent * bytes_per_weight / threads <= 1 << 20:
                cache = roofline[f"read_l2/threads:{threads}"]
        # Every step of a layer reads that layer's recurrent weights again, from the cache that holds them.
        return max(2 * rows * (recurrent + inputs) / rate,
                   max(2 * rows * inputs / rate, inputs * bytes_per_weight / cache)
                   + workload.tokens * recurrent * bytes_per_weight / cache)
    width, inner, layers, vocabulary = 512, 2048, 6, {"t5": 32128, "marian": 58101}[record["model"]]
    encoder = layers * (4 * width * width + 2 * width * inner)
    decoder = layers * (6 * width * width + 2 * width * inner)  # the cross keys and values are computed once
    step = max(2 * workload.batch * (decoder + vocabulary * width) / rate,
               (decoder + vocabulary * width) * bytes_per_weight / memory)
    return 2 * rows * (encoder + 2 * layers * width * width) / rate + workload.new * step


def make_table(result):
    """Markdown: a row a workload, the best peer beside Sesame."""
    lines = [f"{result['machine']}, {result['date']}. Medians, in ms; in brackets the fraction of the roofline.", "",
             "| model | what | dtype | threads | Sesame | best peer | ratio | others |",
             "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    in_ms = lambda ms: f"{ms:.1f}" if ms >= 2 else f"{ms:.3f}"
    groups = {}
    for record in result["records"]:
        if "ms" in record:
            key = (record["model"], tuple(record["workload"]), record["dtype"], record["threads"])
            groups.setdefault(key, []).append(record)
    for (model, workload, dtype, threads), records in groups.items():
        cell = lambda r: f"{in_ms(r['ms'])} ({least_seconds(r, result['roofline']) * 1e3 / r['ms']:.2f})"
        ours = [r for r in records if r["runtime"] == "sesame"]
        others = sorted((r for r in records if r["runtime"] != "sesame"), key=lambda r: r["ms"])
        best = f"{others[0]['runtime']} {cell(others[0])}" if others else "-"
        ratio = f"{others[0]['ms'] / ours[0]['ms']:.2f}x" if ours and others else "-"
        rest = ", ".join(f"{r['runtime']} {in_ms(r['ms'])}" for r in others[1:]) or "-"
        lines.append(f"| {TITLES[model]} | {describe(Workload(*workload))} | {dtype} | {threads} | "
                     f"{cell(ours[0]) if ours else '-'} | {best} | {ratio} | {rest} |")
    return "\n".join(lines) + "\n"


def draw_chart(result, path):
    """A panel a workload: bars of milliseconds, Sesame first."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    threads = max(record["threads"] for record in result["records"])
    panels = {}
    for record in result["records"]:
        if "ms" in record and record["threads"] == threads:
            title = f"{TITLES[record['model']]}, {describe(Workload(*record['workload']))}"
            panels.setdefault(title, []).append((f"{record['runtime']} {record['dtype']}", record["ms"],
                                                 record["runtime"] == "sesame"))
    columns = 3
    rows = (len(panels) + columns - 1) // columns
    figure, axes = plt.subplots(rows, columns, figsize=(6 * columns, 3.6 * rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, (title, bars) in zip(axes.flat, panels.items()):
        axis.axis("on")
        bars.sort(key=lambda bar: -bar[1])
        axis.barh([name for name, _, _ in bars], [ms for _, ms, _ in bars],
                  color=["#c8461e" if mine else "#8a9aa8" for _, _, mine in bars])
        axis.set_title(title, fontsize=10)
        axis.set_xlabel(f"ms, {threads} threads (less is better)", fontsize=8)
        axis.tick_params(labelsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def describe_machine():
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown CPU")
    return f"{model}, {os.cpu_count()} cores"


if __name__ == "__main__":
    sys.exit(main())
