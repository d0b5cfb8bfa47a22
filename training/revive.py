"""Repairs a run that pruning has cut in two: gives the upper levels back what they lost, at the lower levels' cost.

    python revive.py LATER.safetensors EARLIER.safetensors OUT.safetensors --density 0.148

LATER is the run's end, EARLIER a state of it from before. Weights of levels 1 to 3 that were pruned since get their
earlier values at the joints between the levels and throughout levels 1 and 2; in the convolution that leads up from
level 3 a thousand times smaller, since the levels below have learned nothing while they were cut off, and must join
again without a jolt. Level 4, cut off too, is pruned as a whole, and of level 3 what is smallest in magnitude, so that
`density` of the prunable weights is left. `train.py --start OUT` goes on from there.
"""

import argparse

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import prune

LEVEL_4 = ("down3_4", "latent", "prompt3", "noise_level3", "reduce_noise_level3", "up4_3")
LEVEL_3 = ("encoder_level3", "decoder_level3", "noise_level2", "prompt2")
UP_FROM_3 = "up3_2"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("later", "earlier", "out"):
        parser.add_argument(name)
    parser.add_argument("--density", type=float, required=True)
    options = parser.parse_args()
    with safe_open(options.later, "pt") as file:
        metadata = file.metadata()
    weights, earlier = load_file(options.later), load_file(options.earlier)
    lower = {}
    for name, value in weights.items():
        if name.startswith(LEVEL_4):
            weights[name] = torch.zeros_like(value) if "weight" in name else value
        elif "weight" in name and name.startswith(LEVEL_3):
            lower[name] = value.float()
        elif name.startswith(UP_FROM_3):
            weights[name] = torch.where(value == 0, earlier[name] * 1e-3, value)
        else:
            weights[name] = torch.where(value == 0, earlier[name], value)
    prunable = [w for name, w in weights.items() if "weight" in name]
    excess = sum(int((w != 0).sum()) for w in prunable) - options.density * sum(w.numel() for w in prunable)
    if excess < 0:
        raise SystemExit(f"--density {options.density}: less than that is left as it is")
    masks = {name: (w != 0).float() for name, w in lower.items()}
    masks = prune.prune_global(lower, masks, excess / sum(float(m.sum()) for m in masks.values()))
    weights |= {name: (w * masks[name]).half() for name, w in lower.items()}
    save_file(weights, options.out, metadata)


if __name__ == "__main__":
    main()
