"""Makes the file that `mirl-weights pack` takes from a run: its weights, how images mix the prompts, provenance.

    python export.py runs/NAME OUT.safetensors --data DATA --trained-on "which photos, under which terms"

The means of the mixtures over seeded training patches let a user steer the network to a task, and say what it sees.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import prune
from data import CLEAN, TASKS, Patches, Shape
from network import Network
from restore import MIXTURE, load_network
from revision import commit

SIZE, BATCH = 128, 8


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("run", type=Path)
    add("out", type=Path)
    add("--data", type=Path, required=True, help="the folder that the run was trained on")
    add("--trained-on", required=True, help="what these photos are and under which terms; goes into the file")
    add("--patches", type=int, default=320, help=f"per task and of clean ones, of {SIZE} pixels squared")
    add("--seed", type=int, default=0)
    add("--threads", type=int, default=0)
    return parser.parse_args()


@torch.inference_mode()
def mean_mixtures(network: Network, patches: Patches, count: int) -> dict[str, torch.Tensor]:
    """The mean prompt mixture (3 prompts, components) over `count` patches of each task, and of clean ones."""
    means = {}
    for number, kind in enumerate((*patches.tasks, CLEAN)):
        rng = np.random.default_rng((patches.seed, number))
        mixtures = []
        for start in range(0, count, BATCH):
            degraded = [patches.pair(rng, kind, SIZE)[0] for _ in range(min(BATCH, count - start))]
            batch = np.stack(degraded, dtype=np.float32, casting="same_kind")
            network(torch.from_numpy(batch).permute(0, 3, 1, 2))
            mixtures.append(network.mixtures())
        means[kind] = torch.cat(mixtures, 1).double().mean(1).float().contiguous()
    return means


def known(data: Path, trained: list[str]) -> tuple[str, ...]:
    """The tasks of the run, and others that there are photos for."""
    there = {"denoise": data / "clean", "derain": data / "clean", "dehaze": data / "haze" / "target"}
    return tuple(task for task in TASKS if task in trained or there[task].is_dir())


def progress(run: Path) -> tuple[int, int]:
    """The round and the step that the run's weights come from."""
    with safe_open(run / "weights.safetensors", "pt") as file:
        metadata = file.metadata()
    return int(metadata["round"]), int(metadata["step"])


def method(asked: dict) -> str:
    if asked["method"] == "imp":
        kept = "weights" if asked["rewind"] == "weights" else "learning rate"
        return f"{asked['scope']} iterative magnitude pruning, {asked['rounds']} x {asked['rate']:.0%}, {kept} rewound"
    start = asked.get("start")
    if asked["method"] == "gradual":
        each = "a share of each tensor kept" if asked.get("keep") else asked["scope"]
        return f"gradual magnitude pruning, {each}{f', from {start}' if start else ''}"
    return f"the mask of {start}, kept" if start else "dense"


def provenance(run: Path, network: Network, density: float, trained_on: str) -> str:
    asked, (past, step) = json.loads((run / "config.json").read_text()), progress(run)
    parameters = sum(p.numel() for p in network.parameters())
    kept = sum(int(p.count_nonzero()) for p in network.parameters()) / parameters
    is_search = asked["method"] == "imp" and past < asked["rounds"]
    steps = is_search and asked.get("search_steps") or asked["steps"]
    by_clock = asked.get("for_minutes")
    allowed = f"in {by_clock:.1f} minutes" if by_clock else f"of {steps}"
    of_rounds = f"round {past + 1} of {asked['rounds'] + 1}, " if asked["method"] == "imp" else ""
    tasks = ", ".join(dict.fromkeys(asked["tasks"]))
    parts = ", ".join(f"{share:.0%} {name}" for name, share in asked.get("mean_of", {}).items())
    return "\n".join((
        f"PromptIR network of width {network.config.width}, {parameters} parameters, for {tasks}.",
        f"Trained on {trained_on}",
        f"Method: {method(asked)}; {density:.2%} of the prunable weights and {kept:.2%} of all"
        " parameters are non-zero.",
        f"Steps: {of_rounds}{step} {allowed}, {asked['patches']} patches of {asked['size']} px each,"
        f" AdamW, peak learning rate {asked['lr']:g}, seed {asked['seed']}.",
        *([f"The mean of weights: {parts}."] if parts else []),
        f"Run {run.resolve().name}, exported by mirl at commit {commit()}.",
    ))  # fmt: skip


def main():
    options = arguments()
    if options.threads:
        torch.set_num_threads(options.threads)
    source = options.run / "weights.safetensors"
    network, _ = load_network(source)
    tensors = load_file(source)
    if broken := [name for name, t in tensors.items() if not t.isfinite().all()]:
        raise SystemExit(f"{source}: not finite: {', '.join(broken)}")
    density = prune.density({name: (w != 0).float() for name, w in prune.prunable(network).items()})
    tasks = json.loads((options.run / "config.json").read_text())["tasks"]
    try:
        patches = Patches(options.data, lambda step: Shape(BATCH, SIZE), options.seed, known(options.data, tasks))
    except (OSError, ValueError) as error:
        raise SystemExit(f"export.py: {error}")
    for kind, rows in mean_mixtures(network, patches, options.patches).items():
        tensors[MIXTURE + kind] = rows
        print(kind, *(" ".join(f"{share:.3f}" for share in row) for row in rows.tolist()), sep="\n  ")
    text = provenance(options.run, network, density, options.trained_on)
    save_file(tensors, options.out, {"config": network.config.as_json(), "provenance": text})
    print(text)


if __name__ == "__main__":
    main()
