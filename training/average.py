"""Makes a run whose weights are the mean of those of others that began with the same ones.

    python average.py runs/NEW runs/A=9 runs/B=1

Here nine tenths are A's; without numbers all count alike. Such means often do better than each of them (Wortsman et al.
2022, arXiv 2203.05482): runs with other seeds make other small errors, and runs with other data keep a little of each.
The config is the first one's, with the share of each as `mean_of`.
"""

import argparse
import json
import math
from collections import Counter
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

Weights = dict[str, torch.Tensor]


def counted(text: str) -> tuple[Path, float]:
    """The run, and how much it counts."""
    run, equals, number = text.rpartition("=")
    run, count = (run, float(number)) if equals else (number, 1.0)
    if not 0 < count < math.inf:
        raise ValueError(text)  # which argparse words
    return Path(run), count


def mean(runs: list[Weights], shares: list[float]) -> Weights:
    """In the type of the first; refuses weights that were pruned differently, of which the mean would have more."""
    for name, first in runs[0].items():
        differing = max(int(((run[name] == 0) != (first == 0)).sum()) for run in runs)
        if "weight" in name and differing > 0.01 * first.numel():  # single ones may become zero in training
            raise SystemExit(f"{name}: {differing} weights are zero in one run and not in another")
    return {
        name: sum(share * run[name].float() for share, run in zip(shares, runs)).to(first.dtype)
        for name, first in runs[0].items()
    }


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("new", type=Path)
    parser.add_argument("runs", type=counted, nargs="+", metavar="RUN[=COUNT]")
    options = parser.parse_args(argv)
    runs, counts = zip(*options.runs)
    shares = [count / sum(counts) for count in counts]
    files = [run / "weights.safetensors" for run in runs]
    with safe_open(files[0], "pt") as file:
        metadata = file.metadata()
    weights = mean([load_file(file) for file in files], shares)
    options.new.mkdir(parents=True)
    save_file(weights, options.new / "weights.safetensors", metadata)
    config = json.loads((runs[0] / "config.json").read_text())
    parts = Counter()
    for run, share in zip(runs, shares):
        parts[run.name] += share
    config["mean_of"] = {name: round(share, 4) for name, share in parts.items()}
    (options.new / "config.json").write_text(json.dumps(config, indent=1) + "\n")


if __name__ == "__main__":
    main()
