"""The matrix products of `linear` at the model's shapes in PyTorch, as JSON: beside `bareclip bench kernels --op linear`.

python3 gemm.py [--device cuda|cpu] [--rows 16,197] > gemm.json

f32 is computed in f32 (no TF32), f16 with f32 sums; tf32 stands beside them for what a card could do. No bias, no activation. As in
our bench, weights and results are in as many copies as fill 256 MiB, taken in turn: they come from memory.
"""
import argparse
import json
import statistics
import time

import torch

products = [(768, 2304), (768, 768), (768, 4096), (2048, 768), (768, 6144), (3072, 768)]
copied_bytes = 256 * 2**20
samples = 9

options = argparse.ArgumentParser()
options.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
options.add_argument("--rows", default="16,128,197,1576,6304,50432")
options = options.parse_args()
on_gpu = options.device == "cuda"


def timed(body):
    """Milliseconds of one run of `body`, by the card's own clock."""
    if not on_gpu:
        start = time.perf_counter()
        body()
        return 1000 * (time.perf_counter() - start)
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    body()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end)


def measure(rows, width, out, name):
    dtype = torch.float16 if name == "f16" else torch.float32
    torch.backends.cuda.matmul.allow_tf32 = name == "tf32"
    torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
    size = dtype.itemsize
    copies = max(1, min(256, copied_bytes // (size * (out * width + rows * out))))
    x = torch.randn(rows, width, device=options.device).to(dtype)
    weights = [torch.randn(out, width, device=options.device).to(dtype) for _ in range(copies)]
    results = [torch.empty(rows, out, device=options.device, dtype=dtype) for _ in range(copies)]

    def multiply(count):
        for i in range(count):
            torch.mm(x, weights[i % copies].t(), out=results[i % copies])

    multiply(copies)
    count = 1
    while timed(lambda: multiply(count)) < 8:
        count *= 2
    times = sorted(timed(lambda: multiply(count)) / count for _ in range(samples))
    ms = statistics.median(times)
    flops = 2 * rows * width * out
    return {
        "operation": "linear",
        "shape": f"{rows}x{width}x{out}",
        "dtype": name,
        "ms": {"median": ms, "least": times[0], "most": times[-1]},
        "gflops": flops / ms / 1e6,
    }


entries = []
for rows in map(int, options.rows.split(",")):
    for width, out in products:
        for name in ["f32", "f16", "tf32"] if on_gpu else ["f32"]:
            entries.append(measure(rows, width, out, name))
device = torch.cuda.get_device_name() if on_gpu else f"cpu, {torch.get_num_threads()} threads"
print(json.dumps({"torch": torch.__version__, "device": device, "entries": entries}, indent=1))
