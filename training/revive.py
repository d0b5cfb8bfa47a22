"""Gives weights that a run has pruned the values they had in an earlier state of it, to be pruned anew.

    python revive.py LATER.safetensors EARLIER.safetensors OUT.safetensors

For a run that has cut what it should not have: everything else it has learned stays. `train.py --start OUT` goes on.
"""

import sys

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file


def main():
    later, earlier, out = sys.argv[1:]
    with safe_open(later, "pt") as file:
        metadata = file.metadata()
    old = load_file(earlier)
    save_file({k: torch.where(v == 0, old[k], v) for k, v in load_file(later).items()}, out, metadata)


if __name__ == "__main__":
    main()
