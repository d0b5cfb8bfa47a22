"""Trains a network, and prunes it if asked to; resumes where the run stopped (a signal or --minutes stops it).

    python train.py runs/NAME --preset lite --method gradual --density 0.14 --steps 8000 --data DATA

DATA holds clean/ and haze/{target,depth}/ (see README.md). The run's folder gets
  config.json         what was asked for
  log.csv             a line every 50 steps
  state.pt            all that is needed to go on (large, not committed)
  weights.safetensors the averaged weights, fp16, zeros included (small once compressed by packing)

Methods: `dense` trains once. `imp` is MIR-L's iterative magnitude pruning: train, remove a share of the
surviving weights, reset the rest to their initial values, train again, `--rounds` times (with `--rewind lr`
the trained values stay and only the learning rate starts anew: Renda et al. 2020). `gradual` prunes in the
course of one training.
"""

import argparse
import csv
import json
import math
import signal
import threading
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch.utils.data import DataLoader
from tqdm import tqdm

import prune
from data import TASKS, Patches, Shape
from network import Config, Network, build
from restore import load_network

LOG_EVERY, SAVE_EVERY, PRUNE_EVERY = 50, 250, 50


def arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("run", type=Path, help="folder of the run; an existing one is resumed")
    add("--data", type=Path, required=True, help="folder with clean/ and haze/")
    add("--preset", default="lite", help="presets/NAME.json or a path")
    add("--tasks", nargs="+", default=list(TASKS), choices=TASKS, help="in turn; one that is named twice gets two turns")
    add("--method", default="gradual", choices=("dense", "imp", "gradual"))
    add("--scope", default="global", choices=prune.SCOPES)
    add("--density", type=float, default=0.14, help="gradual: share of prunable weights kept at the end")
    add("--rounds", type=int, default=15, help="imp: prunings")
    add("--rate", type=float, default=0.2, help="imp: share of the survivors removed by each pruning")
    add("--rewind", default="weights", choices=("weights", "lr"), help="imp: what starts anew after a pruning")
    add("--start", type=Path, help="weights.safetensors to begin with; its zeros stay zeros")
    add("--steps", type=int, default=8000, help="per round")
    add("--lr", type=float, default=2e-4, help="peak learning rate")
    add("--warmup", type=float, default=0.125, help="share of the steps with rising learning rate")
    add("--patches", type=int, default=8, help="per batch, of --size pixels squared")
    add("--size", type=int, default=64)
    add("--large-after", type=float, default=1.0, help="progress after which patches are twice as wide, a quarter as many")
    add("--name-tasks", type=float, default=0.0,
        help="weight of a loss that makes prompt component i stand for task i, so that mixtures say what was seen")
    add("--average", type=float, default=0.999, help="decay of the running average of the weights")
    add("--seed", type=int, default=0)
    add("--threads", type=int, default=0)
    add("--workers", type=int, default=1)
    add("--minutes", type=float, default=math.inf, help="stop after so long, ready to resume")
    add("--compile", action="store_true")
    add("--bf16", action="store_true", default=torch.cuda.is_available(),
        help="multiply in bfloat16, as always on a GPU: 1.4 times as fast on a CPU with avx512_bf16, slower on others")
    return parser.parse_args(argv)


def learning_rate(progress: float, peak: float, warmup: float) -> float:
    """Linear warm-up, then a cosine to zero."""
    if progress < warmup:
        return peak * progress / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


class Run:
    """A training and all its state; `step` counts within `round`."""

    def __init__(self, options):
        self.options = options
        self.folder = options.run
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.network = build(Config.load(options.preset), options.seed)
        self.masks = prune.full(prune.prunable(self.network))
        if options.start:
            self.network.load_state_dict(load_network(options.start)[0].state_dict())
            self.masks = {k: (w != 0).float() for k, w in prune.prunable(self.network).items()}
        self.network.to(self.device)
        self.masks = {k: m.to(self.device) for k, m in self.masks.items()}
        self.initial = {k: v.clone() for k, v in self.network.state_dict().items()}
        self.round = self.step = 0
        self.begin_round()

    def begin_round(self):
        self.average = Network(self.network.config).to(self.device)
        self.average.load_state_dict(self.network.state_dict())
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=0, fused=True)
        self.forward = torch.compile(self.network) if self.options.compile else self.network

    @property
    def progress(self) -> float:
        return self.step / self.options.steps

    @property
    def batch(self) -> int:
        """The number of the batch that comes next; rounds do not repeat each other's."""
        return self.round * self.options.steps + self.step

    def batch_shape(self, step: int) -> Shape:
        o = self.options
        large = step % o.steps >= o.large_after * o.steps
        return Shape(max(1, o.patches // 4), 2 * o.size) if large else Shape(o.patches, o.size)

    def naming_loss(self, tasks: list[str]) -> torch.Tensor:
        """Cross-entropy between the prompts' mixtures and the tasks, their components being the classes."""
        labels = torch.tensor([TASKS.index(task) for task in tasks], device=self.device)
        scores = self.network.mixtures().float().clamp_min(1e-8).log()
        return F.nll_loss(scores.flatten(0, 1), labels.repeat(len(scores)))

    def train_step(self, degraded, clean, tasks: list[str]) -> torch.Tensor:
        o = self.options
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.progress, o.lr, o.warmup)
        with torch.autocast(self.device, torch.bfloat16, enabled=o.bf16):
            restored = self.forward(degraded.to(self.device, non_blocking=True))
        loss = (restored.float() - clean.to(self.device, non_blocking=True)).abs().mean()
        self.optimizer.zero_grad(set_to_none=True)
        named = o.name_tasks * self.naming_loss(tasks) if o.name_tasks else 0
        (loss + named).backward()
        parameters = dict(self.network.named_parameters())
        prune.apply(self.masks, {k: parameters[k].grad for k in self.masks})
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        if o.method == "gradual" and (self.step % PRUNE_EVERY == 0 or self.step == o.steps):
            self.prune_to(prune.gradual_density(self.progress, o.density))
        with torch.no_grad():
            prune.apply(self.masks, {k: parameters[k].data for k in self.masks})
            decay = min(o.average, (self.step + 1) / (self.step + 10))
            torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), 1 - decay)
        return loss.detach()

    def prune_to(self, target: float):
        rate = 1 - target / prune.density(self.masks)
        if rate > 0:
            self.masks = prune.SCOPES[self.options.scope](prune.prunable(self.network), self.masks, rate)

    def end_round(self):
        """Prunes by the trained weights' magnitudes and sends the survivors back to where they began."""
        o = self.options
        self.masks = prune.SCOPES[o.scope](prune.prunable(self.network), self.masks, o.rate)
        if o.rewind == "weights":
            self.network.load_state_dict(self.initial)
        prune.apply(self.masks, prune.prunable(self.network))
        self.round, self.step = self.round + 1, 0
        self.begin_round()

    def save(self):
        prune.apply(self.masks, prune.prunable(self.average))
        state = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimizer")}
        state |= {"masks": {k: m.bool() for k, m in self.masks.items()}, "round": self.round, "step": self.step}
        partial = self.folder / "state.pt.partial"
        torch.save(state, partial)
        partial.replace(self.folder / "state.pt")
        weights = {k: v.half().contiguous() for k, v in self.average.state_dict().items()}
        metadata = {"config": self.network.config.as_json(), "round": str(self.round), "step": str(self.step)}
        save_file(weights, self.folder / "weights.safetensors", metadata)

    def load(self):
        state = torch.load(self.folder / "state.pt", map_location=self.device, weights_only=True)
        for name in ("network", "average", "optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.masks = {k: m.float() for k, m in state["masks"].items()}
        self.round, self.step = state["round"], state["step"]

    def batches(self, patches: Patches):
        """The batches that are left in this round; each depends on the seed and its number only."""
        left = range(self.batch, (self.round + 1) * self.options.steps)
        workers = self.options.workers
        return DataLoader(patches, None, sampler=left, num_workers=workers, prefetch_factor=4 if workers else None)


def log(folder: Path, row: dict):
    path = folder / "log.csv"
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow(row)


def main(argv=None):
    options = arguments(argv)
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.set_float32_matmul_precision("high")
    torch.set_flush_denormal(True)  # the optimizer's averages of pruned weights decay into them
    run = Run(options)
    run.folder.mkdir(parents=True, exist_ok=True)
    if (run.folder / "state.pt").exists():
        run.load()
    asked = {k: str(v) if isinstance(v, Path) else v for k, v in vars(options).items() if k not in ("run", "data")}
    (run.folder / "config.json").write_text(json.dumps(asked, indent=1) + "\n")
    patches = Patches(options.data, run.batch_shape, options.seed, tuple(options.tasks))
    rounds = options.rounds + 1 if options.method == "imp" else 1
    start, stop = time.monotonic(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    while True:
        losses, total = [], options.steps
        bar = tqdm(run.batches(patches), initial=run.step, total=total, desc=f"round {run.round}", mininterval=5)
        for degraded, clean in bar:
            losses.append(run.train_step(degraded, clean, patches.tasks_at(run.batch)))
            minutes = (time.monotonic() - start) / 60
            if run.step % LOG_EVERY == 0 or run.step == total:
                loss = float(torch.stack(losses).mean())
                losses = []
                bar.set_postfix(loss=f"{loss:.4f}")
                log(run.folder, {"round": run.round, "step": run.step, "loss": f"{loss:.5f}",
                                 "density": f"{prune.density(run.masks):.4f}", "minutes": f"{minutes:.1f}"})
            stopping = stop.is_set() or minutes > options.minutes
            if run.step % SAVE_EVERY == 0 or stopping:
                run.save()
            if stopping:
                return
        run.save()
        if run.round + 1 == rounds:
            return
        run.end_round()


if __name__ == "__main__":
    main()
