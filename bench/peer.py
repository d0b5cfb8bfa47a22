"""Runs one other engine on one picture, in a process of its own, and prints what that took as a line of JSON.

    peer.py ENGINE --weights FILE.mirl --picture 256x256.f32 [--output FILE.f32] [--threads 2] [--seconds 10]
    peer.py export --weights FILE.mirl --size 256x256 --onnx FILE.onnx

PyTorch reads the weight file, other engines the ONNX file made of it for the picture's size. Pictures are raw floats,
3 x height x width, the file being named after the size; sides are multiples of 8. Runs in the virtual environment
that bench/run makes.
"""

import argparse
import importlib
import json
import re
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

import weightfile

FEWEST, MOST = 5, 20  # runs, whatever the seconds asked for; one alone if the first takes LONG
LONG = 8  # seconds
OPSET = 18
Run = Callable[[np.ndarray], np.ndarray]  # (1, 3, h, w) to (1, 3, h, w)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("engine", choices=["export", *ENGINES])
    add("--weights", type=Path)
    add("--onnx", type=Path)
    add("--size", help="WIDTHxHEIGHT to export for")
    add("--picture", type=Path)
    add("--output", type=Path)
    add("--threads", type=int, default=2)
    add("--seconds", type=float, default=10)
    return parser.parse_args()


def sides(size: str) -> tuple[int, int]:
    width, height = re.fullmatch(r"(\d+)x(\d+)", size).groups()
    return int(width), int(height)


def build_network(path: Path, published: bool):
    """The network of a weight file. `published`: written as PromptIR's authors did, maps plane by plane wherever a
    step does not turn them; else as training has it, channels last."""
    import torch
    import torch.nn.functional as F

    sys.path.append(str(Path(__file__).parents[1] / "training"))
    import network

    class PublishedLayerNorm(network.LayerNorm):
        def forward(self, x):
            n, c, h, w = x.shape
            x = x.flatten(2).transpose(1, 2).contiguous()
            mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
            x = (x - mean) / torch.sqrt(variance + self.body.eps) * self.body.weight + self.body.bias
            return x.reshape(n, h, w, c).permute(0, 3, 1, 2)

    class JoinedFeedForward(network.FeedForward):
        """With a convolution for gates and values together; training splits them for the sake of its gradients."""

        def forward(self, x):
            gate, value = self.dwconv(self.project_in(x)).chunk(2, dim=1)
            if not published:  # gelu of a part of a map takes ten times as long
                gate = gate.contiguous(memory_format=torch.channels_last)
            return self.project_out(F.gelu(gate) * value)

    class PublishedAttention(network.Attention):
        def forward(self, x):
            n, c, h, w = x.shape
            qkv = self.qkv_dwconv(self.qkv(x)).reshape(n, 3, self.heads, c // self.heads, h * w)
            q, k, v = qkv.unbind(1)
            scores = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(2, 3) * self.temperature
            return self.project_out((scores.softmax(-1) @ v).reshape(n, c, h, w))

    network.FeedForward = JoinedFeedForward
    if published:
        network.LayerNorm, network.Attention = PublishedLayerNorm, PublishedAttention
    file = weightfile.read(path)
    net = network.Network(network.Config(**file.architecture)).eval()
    shapes = {name: p.shape for name, p in net.state_dict().items()}
    net.load_state_dict({name: torch.from_numpy(file.tensors[name]).reshape(s) for name, s in shapes.items()})
    if published:  # the network itself asks for channels last at two places
        for module in (net.patch_embed, net.prompt1.conv3x3, net.prompt2.conv3x3, net.prompt3.conv3x3):
            module.register_forward_pre_hook(lambda module, inputs: inputs[0].contiguous())
    return net


def pytorch(options, published=True, double=False) -> Run:
    import torch

    torch.set_num_threads(options.threads)
    net = build_network(options.weights, published)
    if double:
        net.double()

    @torch.inference_mode()
    def run(image: np.ndarray) -> np.ndarray:
        tensor = torch.from_numpy(image)
        return net(tensor.double() if double else tensor).numpy()

    return run


def onnxruntime(options) -> Run:
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.inter_op_num_threads = options.threads, 1
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(options.onnx, settings, providers=["CPUExecutionProvider"])
    return lambda image: session.run(None, {"image": image})[0]


def openvino(options, precision: str) -> Run:
    import openvino

    settings = {
        "INFERENCE_NUM_THREADS": options.threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precision,
    }  # fmt: skip
    request = openvino.Core().compile_model(str(options.onnx), "CPU", settings).create_infer_request()
    return lambda image: request.infer({"image": image})[0]


# Each with the package whose version is told.
ENGINES: dict[str, tuple[str, Callable]] = {
    "pytorch": ("torch", pytorch),
    "pytorch-channels-last": ("torch", lambda options: pytorch(options, published=False)),
    "pytorch-float64": ("torch", lambda options: pytorch(options, double=True)),
    "onnxruntime": ("onnxruntime", onnxruntime),
    "openvino": ("openvino", lambda options: openvino(options, "f32")),
    "openvino-bf16": ("openvino", lambda options: openvino(options, "bf16")),
}


def export(options):
    """Writes the network as ONNX for one size. As published, or by the newer exporter, it is no faster anywhere."""
    import torch

    net = build_network(options.weights, published=False)
    width, height = sides(options.size)
    with torch.inference_mode():
        torch.onnx.export(
            net, (torch.rand(1, 3, height, width),), options.onnx, input_names=["image"], output_names=["restored"],
            opset_version=OPSET, dynamo=False)  # fmt: skip


def peak_memory() -> int:
    """The most bytes that this process has had, by /proc: getrusage would count the parent's too."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024


def measure(options) -> dict:
    package, load = ENGINES[options.engine]
    width, height = sides(options.picture.stem)
    image = np.fromfile(options.picture, np.float32).reshape(1, 3, height, width)
    importlib.import_module(package)
    start = time.perf_counter()
    run = load(options)
    loading = time.perf_counter() - start
    run(image)  # the first is slower
    times, fewest, limit = [], FEWEST, time.perf_counter() + options.seconds
    while len(times) < fewest or (time.perf_counter() < limit and len(times) < MOST):
        start = time.perf_counter()
        output = run(image)
        times.append(time.perf_counter() - start)
        fewest = 1 if times[0] > LONG else FEWEST
    peak = peak_memory()
    if options.output:
        output.tofile(options.output)
    return {
        "engine": options.engine, "version": version(package), "load_s": loading, "best_s": min(times),
        "median_s": statistics.median(times), "runs": len(times), "peak_bytes": peak,
    }  # fmt: skip


def main():
    options = arguments()
    if options.engine == "export":
        export(options)
    else:
        print(json.dumps(measure(options)))


if __name__ == "__main__":
    main()
