"""Makes a run whose weights are the mean of those of others that began with the same ones.

    python average.py runs/NEW runs/A runs/B ...

Such means often do better than each of them (Wortsman et al. 2022, arXiv 2203.05482): runs with other seeds make other
small errors, and runs with other data keep a little of each. The config is the first one's, with the names of all.
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file


def mean(runs: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """In the type of the first; refuses weights that were pruned differently, of which the mean would have more."""
    for name, first in runs[0].items():
        differing = max(int(((run[name] == 0) != (first == 0)).sum()) for run in runs)
        if "weight" in name and differing > 0.01 * first.numel():  # single ones may become zero in training
            raise SystemExit(f"{name}: {differing} weights are zero in one run and not in another")
    stacks = {name: torch.stack([run[name].float() for run in runs]) for name in runs[0]}
    return {name: stack.mean(0).to(runs[0][name].dtype) for name, stack in stacks.items()}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("new", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    options = parser.parse_args(argv)
    files = [run / "weights.safetensors" for run in options.runs]
    with safe_open(files[0], "pt") as file:
        metadata = file.metadata()
    weights = mean([load_file(file) for file in files])
    options.new.mkdir(parents=True)
    save_file(weights, options.new / "weights.safetensors", metadata)
    config = json.loads((options.runs[0] / "config.json").read_text())
    config["mean_of"] = [run.name for run in options.runs]
    (options.new / "config.json").write_text(json.dumps(config, indent=1) + "\n")


if __name__ == "__main__":
    main()
