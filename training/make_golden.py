"""Makes the small reference set that the engine's tests compare with: a narrow random net and what it computes.

    python make_golden.py ../Tests/MirlTests/Golden

The values are random, not trained, and exact in fp16; the net computes in fp64, so that a test's tolerance
is the engine's own rounding.
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file

import prune
from data import TASKS
from network import Config, Network, build
from restore import MIXTURE, restore

SEED = 1
SIZES = ((1, 1), (7, 5), (9, 31), (16, 24), (1, 50), (2, 165))  # height, width; the last is wider than a tile
TRACED = (16, 24)
ACTIVATIONS = (
    "patch_embed", "encoder_level1", "encoder_level2", "encoder_level3", "latent", "prompt3", "noise_level3",
    "reduce_noise_level3", "decoder_level3", "prompt2", "decoder_level2", "prompt1", "decoder_level1",
    "refinement", "output",
)  # fmt: skip
DENSE = {"patch_embed.proj.weight", "reduce_chan_level3.weight", "output.weight"}
DENSITY, LEAST = 0.08, 3  # of the others, and the values per output that a short row has at least on average


def randomise(network: Network, rng: torch.Generator):
    """Gives every parameter a random value at which activations stay near 1, most weights being zero."""
    for name, p in network.named_parameters():
        values = torch.randn(p.shape, generator=rng)
        if name.endswith("temperature"):
            values = 1 + 3 * torch.rand(p.shape, generator=rng)
        elif name.endswith("prompt_param"):
            values = torch.rand(p.shape, generator=rng)
        elif name.endswith("bias"):
            values *= 0.3
        elif "norm" in name:
            values = 1 + 0.3 * values
        elif name in DENSE or "linear_layer" in name:
            values /= p[0].numel() ** 0.5
        else:
            expected = max(DENSITY * p[0].numel(), LEAST)
            present = torch.rand(p.shape, generator=rng) < expected / p[0].numel()
            values = present * values / expected**0.5
        p.data.copy_(values.half())


def make_corner_cases(network: Network):
    """Zeros where a sparse engine could stumble."""
    first = network.encoder_level2[0]
    first.attn.qkv.weight.data[[0, 3, -1]] = 0  # empty rows
    first.ffn.project_in.weight.data[[0, 1, 12]] = 0
    first.ffn.project_out.weight.data[2:5] = 0
    first.attn.qkv_dwconv.weight.data[1] = 0  # a query of length zero
    first.norm1.body.weight.data[3] = 0
    network.reduce_noise_level1.weight.data[-1] = 0
    network.latent[0].attn.project_out.weight.data.zero_()


def trace(network: Network, image: torch.Tensor) -> dict[str, torch.Tensor]:
    """What the named modules give for `image`, as act.NAME."""
    seen = {}
    hooks = [
        getattr(network, name).register_forward_hook(
            lambda module, inputs, result, name=name: seen.update({f"act.{name}": result[0]})
        )
        for name in ACTIVATIONS
    ]
    restore(network, image[None])
    for hook in hooks:
        hook.remove()
    return seen


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    rng = torch.Generator().manual_seed(SEED)
    config = Config.load("golden")
    network = build(config, SEED).eval()
    randomise(network, rng)
    make_corner_cases(network)
    mixtures = {task: torch.rand(3, config.prompt_components, generator=rng).square() for task in TASKS}
    mixtures = {task: rows / rows.sum(1, keepdim=True) for task, rows in mixtures.items()}
    weights = {name: p.half().contiguous() for name, p in network.state_dict().items()}
    weights |= {MIXTURE + task: rows for task, rows in mixtures.items()}
    save_file(weights, folder / "weights.safetensors", {"config": config.as_json()})

    network.double()
    images = {size: torch.rand(3, *size, generator=rng) for size in SIZES}
    golden = {}
    for (height, width), image in images.items():
        golden[f"x_{height}x{width}"] = image
        golden[f"y_{height}x{width}"] = restore(network, image.double()[None])[0]
    golden |= trace(network, images[TRACED].double())
    network.steer(mixtures["derain"].double())
    golden["y_derain_{}x{}".format(*TRACED)] = restore(network, images[TRACED].double()[None])[0]
    save_file({name: t.float().contiguous() for name, t in golden.items()}, folder / "golden.safetensors")

    kept = prune.density({name: (w != 0).float() for name, w in prune.prunable(network).items()})
    print(f"{kept:.1%} of the prunable weights are non-zero")


if __name__ == "__main__":
    main()
