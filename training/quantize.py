"""What it costs to store a network's values in fewer bits, on a folder of photos and pairs as `evaluate.py` takes it.

    python quantize.py FILE.safetensors VALID --limit 2 --crop 192

For each encoding the change of PSNR on each task, against the network in fp16, and the PSNR between the two networks'
results, not clamped: the least and the mean over images.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

import evaluate
from data import TASKS
from restore import load_network, restore

Weights = dict[str, torch.Tensor]


def quantized_prompt(prompt: torch.Tensor) -> torch.Tensor:
    """Each map as 255 even values from its least to its greatest, as `mirl-weights pack --prompts int8` does; where zeros
    are among them the values are moved so that these stay zeros."""
    least, greatest = prompt.amin((-2, -1), keepdim=True).double(), prompt.amax((-2, -1), keepdim=True).double()
    scale, offset = ((greatest - least) / 254).float().double(), ((greatest + least) / 2).float().double()
    offset = torch.where((prompt == 0).any(-1, True).any(-2, True), scale * (offset / scale).nan_to_num(0).round(), offset)
    steps = ((prompt - offset) / scale).nan_to_num(0).round().clamp(-127, 127)
    return (offset + scale * steps).float()


def quantized_weight(weight: torch.Tensor, per_row: bool) -> torch.Tensor:
    """Multiples of a step, 1/127 of the largest magnitude in each row (output channel) or in all; 0 stays 0."""
    axes = tuple(range(1 if per_row else 0, weight.dim()))
    scale = weight.abs().amax(axes, keepdim=True) / 127
    return (weight / scale).nan_to_num(0).round() * scale


def encode(weights: Weights, prompts: bool = False, matrices: str | None = None) -> Weights:
    """`weights` in fp16 but for vectors and temperatures, then prompts or matrices ("row" or "tensor") in 8 bits."""
    result = {}
    for name, values in weights.items():
        if name.endswith(".prompt_param"):
            values = values.half().float()
            result[name] = quantized_prompt(values) if prompts else values
        elif values.dim() in (2, 4):
            values = values.half().float()
            result[name] = quantized_weight(values, matrices == "row") if matrices else values
        else:
            result[name] = values
    return result


ENCODINGS = {
    "fp32": lambda weights: weights,
    "prompts int8": lambda weights: encode(weights, prompts=True),
    "matrices int8, a scale per row": lambda weights: encode(weights, matrices="row"),
    "matrices int8, a scale per tensor": lambda weights: encode(weights, matrices="tensor"),
}


def arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("weights", type=Path, help="safetensors file")
    add("data", type=Path)
    add("--limit", type=int, help="so many images of each folder and style, evenly spread")
    add("--crop", type=int, help="only the central square of so many pixels")
    add("--threads", type=int, default=0)
    return parser.parse_args(argv, argparse.Namespace(tasks=TASKS))


def main():
    options = arguments()
    if options.threads:
        torch.set_num_threads(options.threads)
    network, _ = load_network(options.weights)
    weights = {name: values.clone() for name, values in network.state_dict().items()}
    cases = list(evaluate.cases(options))
    if not cases:
        raise SystemExit(f"{options.data}: no denoise/, rain/ or haze/ with images")
    tasks = list(dict.fromkeys(case.task for case in cases))

    def results(weights: Weights) -> list[np.ndarray]:
        network.load_state_dict(weights)
        batches = (torch.from_numpy(case.degraded.astype(np.float32) / 255).permute(2, 0, 1)[None] for case in cases)
        return [restore(network, batch)[0].permute(1, 2, 0).numpy() for batch in batches]

    def psnrs(images: list[np.ndarray]) -> list[float]:
        pairs = zip(images, cases, strict=True)
        return [evaluate.psnr(image.clip(0, 1), case.clean.astype(np.float32) / 255) for image, case in pairs]

    reference = results(encode(weights))
    print("| encoding |", " | ".join(tasks), "| same, least | same, mean |\n| --- |" + " ---: |" * (len(tasks) + 2))
    for name, encoding in ENCODINGS.items():
        images = results(encoding(weights))
        gains = np.subtract(psnrs(images), psnrs(reference))
        means = [np.mean([gain for gain, case in zip(gains, cases) if case.task == task]) for task in tasks]
        same = [evaluate.psnr(image, other, most=np.inf) for image, other in zip(images, reference)]
        cells = [f"{mean:+.4f}" for mean in means] + [f"{min(same):.1f}", f"{np.mean(same):.1f}"]
        print(f"| {name} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
