"""Trains a network, and prunes it if asked to; resumes where the run stopped (a signal or --minutes stops it).

    python train.py runs/NAME --data DATA --preset lite --steps 8000 --lr 8e-4 --scope layerwise --density 0.14

DATA holds clean/ and haze/{target,depth}/ (see README.md). The run's folder gets
  config.json         what was asked for; a run is resumed with the same options only
  log.csv             a line every 50 steps
  state.pt            all that is needed to go on (large, not committed)
  ticket.safetensors  imp: the mask that the present round began with, a bit per weight; without state.pt the run goes
                      on from there, since the seed has the rest
  weights.safetensors the averaged weights, fp16, zeros included (small once compressed by packing)

Methods: `dense` trains once. `imp` is MIR-L's iterative magnitude pruning: train, remove a share of the
surviving weights, reset the rest to their initial values, train again, `--rounds` times (with `--rewind lr`
the trained values stay and only the learning rate starts anew: Renda et al. 2020). `gradual` prunes in the
course of one training.
"""

import argparse
import csv
import fcntl
import hashlib
import json
import math
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file
from torch.utils.data import DataLoader
from tqdm import tqdm

import prune
from data import CLEAN, TASKS, Patches, Shape
from network import Block, Config, Network, build
from restore import MULTIPLE, load_network

UNLIMITED = 10**9  # steps
LOG_EVERY, PRUNE_EVERY = 50, 50  # steps
SAVE_EVERY = 300  # seconds
STOPPING = (signal.SIGINT, signal.SIGTERM)
STATE, TICKET, WEIGHTS = "state.pt", "ticket.safetensors", "weights.safetensors"
MAY_CHANGE = {"run", "data", "threads", "workers", "minutes"}  # when a run is resumed; they change no result


def digest() -> str:
    """Of the code that decides how a run goes, beside its options."""
    names = ("data", "gpu", "network", "prune", "train")
    return hashlib.sha256(b"".join(Path(__file__).with_name(f"{n}.py").read_bytes() for n in names)).hexdigest()


CODE = digest()  # of what this process runs, though the files may change meanwhile


def share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no share, 0 to 1")
    return number


def number(kind: type, least: float, above: bool = False):
    """Reads a number of a kind, `least` or more, or if `above` more than that."""
    def read(text: str):
        value = kind(text)
        if not math.isfinite(value) or value < least or (above and value == least):
            raise argparse.ArgumentTypeError(f"{text} is not {'more than' if above else 'at least'} {least}")
        return value

    read.__name__ = kind.__name__  # argparse names it where a text is no number
    return read


# Options that but one method heeds.
HEEDED = {"imp": ("rounds", "rate", "rewind", "search_steps"), "gradual": ("density", "keep")}


def arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("run", type=Path, help="folder of the run; an existing one is resumed")
    add("--data", type=Path, required=True, help="folder with clean/ and haze/")
    add("--preset", default="lite", help="presets/NAME.json or a path")
    add("--tasks", nargs="+", default=list(TASKS), choices=TASKS, help="in turn; one named twice gets two turns")
    add("--method", default="gradual", choices=("dense", "imp", "gradual"))
    add("--scope", default="global", choices=prune.SCOPES)
    add("--by-cost", action="store_true",
        help="weigh magnitudes by the multiply-adds that a weight costs at its resolution")
    add("--prune-prompts", action="store_true", help="prune the prompts' components too")
    add("--least", type=share, default=0.0, help="share of every tensor that `global` and `scaled` keep (0..1)")
    add("--density", type=share, default=0.14, help="gradual: share of prunable weights kept at the end")
    add("--keep", type=json.loads, metavar="JSON",
        help="gradual: instead of --scope and --density, the share kept of each tensor, by the first pattern found in its"
        """ name, as {"level1.*qkv": 0.3}; of others all that there is""")
    add("--rounds", type=number(int, 0), default=15, help="imp: prunings")
    add("--rate", type=share, default=0.2, help="imp: share of the survivors removed by each pruning")
    add("--rewind", default="weights", choices=("weights", "lr"), help="imp: what starts anew after a pruning")
    add("--start", type=Path, help="weights.safetensors to begin with; its zeros stay zeros")
    add("--fresh", nargs="+", default=[], metavar="PART",
        help="parts that do not begin with --start's weights but whole, as encoder_level3; their blocks change little then")
    add("--steps", type=number(int, 1), default=8000, help="of the training; imp: of the last one")
    add("--for-minutes", type=number(float, 0, above=True), metavar="M",
        help="instead of --steps, as many as M minutes allow; the schedule goes by the clock, so that two runs differ")
    add("--search-steps", type=number(int, 1),
        help="imp: of each training before the last one, which only find the mask; as --steps")
    add("--lr", type=number(float, 0, above=True), default=2e-4, help="peak learning rate")
    add("--warmup", type=share, default=0.125, help="share of the steps with rising learning rate")
    add("--patches", type=number(int, 1), default=8, help="per batch, of --size pixels squared")
    add("--size", type=int, default=64)
    add("--large-after", type=share, default=1.0,
        help="progress after which patches are twice as wide, a quarter as many")
    add("--loss", default="l1", choices=("l1", "psnr"), help="psnr: the mean of the patches' PSNR, as it is evaluated")
    add("--flat", type=number(float, 0), default=0.0, metavar="WEIGHT",
        help="of a loss on unevenness where the clean photo is flat, as in a sky: next to nothing to PSNR, but seen")
    add("--name-tasks", type=number(float, 0), default=0.0,
        help="weight of a loss that makes prompt component i stand for task i, so that mixtures say what was seen")
    add("--clean-share", type=share, default=0.0,
        help="share of clean patches, to be left as they are (0..1); their prompt component comes after the tasks'")
    add("--average", type=share, default=0.999, help="decay of the running average of the weights")
    add("--seed", type=int, default=0)
    add("--threads", type=number(int, 0), default=0)
    add("--workers", type=number(int, 0), default=1)
    add("--minutes", type=float, default=math.inf, help="stop after so long, ready to resume")
    add("--bf16", action=argparse.BooleanOptionalAction, default=torch.cuda.is_available(),
        help="multiply in bfloat16, the default on a GPU: 1.4 times as fast on CPUs with avx512_bf16, slower on others")
    options = parser.parse_args(argv)
    if options.size % MULTIPLE or options.size < 1:
        parser.error(f"--size is to be a multiple of {MULTIPLE}, and more than 0")
    if options.fresh and not options.start:
        parser.error("--fresh is of use with --start only: without it all parts begin anew")
    if options.for_minutes and (options.method == "imp" or options.large_after < 1):
        parser.error("--for-minutes goes neither with --method imp nor with --large-after, which count steps")
    given = [name for name, value in vars(options).items() if value != parser.get_default(name)]
    for method, names in HEEDED.items():
        for name in set(names) & set(given):
            if options.method != method:
                parser.error(f"--{name.replace('_', '-')} is of use with --method {method} only")
    if options.keep is not None and {"scope", "density", "least", "by_cost"} & set(given):
        parser.error("--keep goes without --scope, --density, --least and --by-cost, in whose place it is")
    return options


def restoration_loss(kind: str, restored: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
    """Of (n, 3, h, w) in 0..1: `l1` the mean distance, `psnr` minus a tenth of the mean PSNR in dB. That weighs patches
    alike, whether little or much is wrong with them; above 50 dB there is little left to gain."""
    error = restored - clean
    if kind == "l1":
        return error.abs().mean()
    return (error.square().mean((1, 2, 3)) + 1e-5).log10().mean()


# How far apart pixels are whose differences are compared, and how little (0..1) they differ in what is flat.
REACHES, FLAT = (1, 8), 2 / 255


def flatness_loss(restored: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
    """Of (n, 3, h, w) in 0..1: how uneven `restored` is where `clean` is flat, like `psnr` in tenths of dB, whatever
    its level there. Steps of a JPEG's haze that are drawn out with what it hid, and mottles, are uneven."""
    def rises(image: torch.Tensor) -> list[torch.Tensor]:
        return [image[:, :, reach:] - image[:, :, :-reach] for reach in REACHES] + \
            [image[..., reach:] - image[..., :-reach] for reach in REACHES]

    losses = []
    for rise, clean_rise in zip(rises(restored), rises(clean)):
        around = F.avg_pool2d(clean_rise.square().mean(1), 9, 1, 4, count_include_pad=False)
        flat = (1 + around / FLAT**2) ** -2
        uneven = (flat * (rise - clean_rise).square().mean(1)).sum((1, 2)) / flat.sum((1, 2))
        losses.append((flat.mean((1, 2)) * (uneven + 1e-6).log10()).mean())
    return torch.stack(losses).mean()


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
        self.masks = prune.full(self.prunable(self.network))
        self.costs = prune.uses(self.network.config) if options.by_cost else None
        if options.start:
            start = load_network(options.start)[0]
            if start.config != self.network.config:
                raise ValueError(f"{options.start}: not a network of --preset {options.preset}")
            prompts = [w for k, w in start.state_dict().items() if k.endswith("prompt_param")]
            if not options.prune_prompts and any((w == 0).any() for w in prompts):
                raise ValueError(f"{options.start}: its prompts are pruned, and would grow without --prune-prompts")
            self.network.load_state_dict(self.started(start.state_dict()))
            self.masks = {k: (w != 0).float() for k, w in self.prunable(self.network).items()}
        self.network.to(self.device)
        self.masks = {k: m.to(self.device) for k, m in self.masks.items()}
        if options.method == "imp":
            self.initial = {k: v.clone() for k, v in self.network.state_dict().items()}
        self.first = {k: prune.density({k: m}) for k, m in self.masks.items()}
        self.reached = None  # the share that each tensor was pruned to last
        self.kept = None if options.keep is None else prune.shares(self.masks, options.keep)
        self.rounds = options.rounds if options.method == "imp" else 0
        self.search_steps = options.search_steps or options.steps
        self.round = self.step = 0
        self.minutes, self.losses = 0.0, []  # trained so far; of the steps since the last line of the log
        self.begin_round()

    def prunable(self, network: Network) -> prune.Tensors:
        return prune.prunable(network, self.options.prune_prompts)

    def started(self, weights: prune.Tensors) -> prune.Tensors:
        """The weights to begin with: those of --start, but for the parts that are --fresh. There the ends of blocks,
        which are added to what there was, are a tenth of their initial values."""
        known = dict(self.network.named_modules())
        for part in self.options.fresh:
            if part not in known:
                raise ValueError(f"--fresh {part}: the network has no such part")
        parts = tuple(f"{part}." for part in self.options.fresh)
        fresh = {k: v for k, v in self.network.state_dict().items() if k.startswith(parts)}
        return weights | {k: v * 0.1 if k.endswith("project_out.weight") else v for k, v in fresh.items()}

    def begin_round(self):
        self.average = Network(self.network.config).to(self.device)
        self.average.load_state_dict(self.network.state_dict())
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=0, fused=True)
        self.forwards = {}  # by the shape of the batch
        self.leave_out_the_dead()

    def leave_out_the_dead(self):
        """Parts of blocks whose results are multiplied by nothing but pruned weights are not computed. (A graph that a GPU
        has captured before computes them still.)"""
        for name, block in self.network.named_modules():
            if isinstance(block, Block):
                block.has_attn = bool(self.masks[f"{name}.attn.project_out.weight"].any())
                block.has_ffn = bool(self.masks[f"{name}.ffn.project_out.weight"].any())

    def steps(self, round: int) -> int:
        last = UNLIMITED if self.options.for_minutes else self.options.steps
        return self.search_steps if round < self.rounds else last

    @property
    def progress(self) -> float:
        if self.options.for_minutes:
            return min(self.minutes / self.options.for_minutes, 1.0)
        return self.step / self.steps(self.round)

    @property
    def batch(self) -> int:
        """The number of the batch that comes next; rounds do not repeat each other's."""
        return self.round * self.search_steps + self.step

    @property
    def shapes(self) -> "Shapes":
        o = self.options
        return Shapes(o.patches, o.size, o.large_after, self.rounds, self.search_steps, self.steps(self.rounds))

    def forward(self, degraded: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Restored images and prompt mixtures. On a GPU the thousands of kernels, there and back, are a graph that is
        launched at once: one by one that takes longer than they do."""
        shape = degraded.shape
        if shape not in self.forwards:
            network = Seen(self.network)
            if self.device == "cuda":
                network = torch.cuda.make_graphed_callables(network, (degraded.clone(),), allow_unused_input=True)
            self.forwards[shape] = network
        return self.forwards[shape](degraded)

    def naming_loss(self, mixtures: torch.Tensor, tasks: list[str]) -> torch.Tensor:
        """Cross-entropy between the prompts' mixtures and the tasks, their components being the classes; of the prompts
        that can see the image, as pruning leaves to some their biases alone."""
        labels = torch.tensor([(*TASKS, CLEAN).index(task) for task in tasks], device=self.device)
        seeing = [i for i in range(len(mixtures)) if self.masks[f"prompt{i + 1}.linear_layer.weight"].any()]
        if not seeing:
            return mixtures.new_zeros(())
        scores = mixtures[seeing].float().clamp_min(1e-8).log()
        return F.nll_loss(scores.flatten(0, 1), labels.repeat(len(scores)))

    def train_step(self, degraded, clean, tasks: list[str]) -> torch.Tensor:
        o = self.options
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.progress, o.lr, o.warmup)
        with torch.autocast(self.device, torch.bfloat16, enabled=o.bf16, cache_enabled=self.device == "cpu"):
            restored, mixtures = self.forward(degraded.to(self.device, non_blocking=True))
        restored, clean = restored.float(), clean.to(self.device, non_blocking=True)
        loss = restoration_loss(o.loss, restored, clean)
        self.optimizer.zero_grad(set_to_none=True)
        named = o.name_tasks * self.naming_loss(mixtures, tasks) if o.name_tasks else 0
        flat = o.flat * flatness_loss(restored, clean) if o.flat else 0
        (loss + named + flat).backward()
        parameters = dict(self.network.named_parameters())
        grads = {k: parameters[k].grad for k in self.masks}
        prune.apply(self.masks, {k: grad for k, grad in grads.items() if grad is not None})
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        if o.method == "gradual" and (self.step % PRUNE_EVERY == 0 or self.progress == 1):
            self.prune_gradually()
        with torch.no_grad():
            prune.apply(self.masks, {k: parameters[k].data for k in self.masks})
            decay = min(o.average, (self.step + 1) / (self.step + 10))
            torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), 1 - decay)
        return loss.detach()

    def prune_gradually(self):
        o = self.options
        if self.kept is None:
            rate = 1 - prune.gradual_density(self.progress, o.density) / prune.density(self.masks)
            if rate > 0:
                self.remove(rate)
        else:
            now = {
                k: prune.gradual_density(self.progress, min(self.kept[k], first), first)
                for k, first in self.first.items()
            }
            if now != self.reached:  # sorting takes a while
                self.masks, self.reached = prune.cut_to(self.prunable(self.network), self.masks, now), now
                self.leave_out_the_dead()

    def remove(self, rate: float):
        self.masks = prune.remove(
            self.prunable(self.network), self.masks, rate, self.options.scope, self.costs, self.options.least)
        self.leave_out_the_dead()

    def end_round(self):
        """Prunes by the trained weights' magnitudes and sends the survivors back to where they began."""
        self.remove(self.options.rate)
        if self.options.rewind == "weights":
            self.network.load_state_dict(self.initial)
            packed = {k: torch.from_numpy(np.packbits(m.bool().cpu().numpy())) for k, m in self.masks.items()}
            with replacing(self.folder / TICKET) as partial:
                save_file(packed, partial, {"round": str(self.round + 1)})
        self.go_on_from(self.round + 1)

    def go_on_from(self, round: int):
        prune.apply(self.masks, self.prunable(self.network))
        self.round, self.step = round, 0
        self.begin_round()

    def save(self):
        prune.apply(self.masks, self.prunable(self.average))
        state = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimizer")}
        state |= {name: getattr(self, name) for name in ("round", "step", "minutes", "losses")}
        state["masks"] = {k: m.bool() for k, m in self.masks.items()}
        state["code"] = CODE
        with replacing(self.folder / STATE) as partial:
            torch.save(state, partial)
        weights = {k: v.half().contiguous() for k, v in self.average.state_dict().items()}
        metadata = {"config": self.network.config.as_json(), "round": str(self.round), "step": str(self.step)}
        with replacing(self.folder / WEIGHTS) as partial:
            save_file(weights, partial, metadata)

    def resume(self):
        """Goes on from what the folder holds, if anything."""
        if (self.folder / STATE).exists():
            self.load_state()
        elif (self.folder / TICKET).exists():
            self.load_ticket()
        truncate_log(self.folder, (self.round, self.step))

    def load_state(self):
        state = torch.load(self.folder / STATE, map_location=self.device, weights_only=True)
        for name in ("network", "average", "optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.masks = {k: m.float() for k, m in state["masks"].items()}
        self.leave_out_the_dead()
        self.round, self.step = state["round"], state["step"]
        self.minutes, self.losses = state["minutes"], state["losses"]
        if state["code"] != CODE:
            print(f"{self.folder}: the code has changed since step {self.step}: what follows is not what it would have "
                  "been, so say it where the run is described", file=sys.stderr)

    def load_ticket(self):
        with safe_open(self.folder / TICKET, "np") as file:
            for name, mask in self.masks.items():
                bits = np.unpackbits(file.get_tensor(name), count=mask.numel())
                self.masks[name] = torch.from_numpy(bits).to(mask).view_as(mask)
            self.go_on_from(int(file.metadata()["round"]))

    def batches(self, patches: Patches):
        """The batches that are left in this round; each depends on the seed and its number only."""
        left = range(self.batch, self.batch + self.steps(self.round) - self.step)
        workers = self.options.workers
        return DataLoader(
            patches, None, sampler=left, num_workers=workers, prefetch_factor=4 if workers else None,
            pin_memory=torch.cuda.is_available(), worker_init_fn=leave_signals_to_the_run)


class Seen(torch.nn.Module):
    """A network that tells its prompts' mixtures too."""

    def __init__(self, network: Network):
        super().__init__()
        self.network = network

    def forward(self, image):
        return self.network(image), self.network.mixtures()


@dataclass(frozen=True)
class Shapes:
    """The shape of each batch: later in a round, a quarter as many patches of twice the size."""

    patches: int
    size: int
    large_after: float
    rounds: int
    search_steps: int
    steps: int

    def __call__(self, batch: int) -> Shape:
        round = min(batch // self.search_steps, self.rounds)
        steps = self.search_steps if round < self.rounds else self.steps
        large = batch - round * self.search_steps >= self.large_after * steps
        return Shape(max(1, self.patches // 4), 2 * self.size) if large else Shape(self.patches, self.size)


def leave_signals_to_the_run(worker: int):
    """A signal to the whole process group stops the run, which then still takes the batches that workers have made."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def replacing(path: Path):
    """A path to write to; what is there when all went well takes the place of `path`, even if the machine fails."""
    partial = path.with_name(path.name + ".partial")
    yield partial
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)


@contextmanager
def held(folder: Path):
    """Meanwhile no other process trains in the folder."""
    file = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"{folder}: another process trains this run")
        yield
    finally:
        os.close(file)


def check_options(options):
    """Writes config.json if the run begins, else compares with it."""
    asked = {k: str(v) if isinstance(v, Path) else v for k, v in vars(options).items()}
    path, held = options.run / "config.json", [n for n in (STATE, TICKET, WEIGHTS) if (options.run / n).exists()]
    if not held:
        kept = {k: v for k, v in asked.items() if k not in ("run", "data", "minutes")}
        path.write_text(json.dumps(kept, indent=1) + "\n")
        return
    if held == [WEIGHTS]:
        raise SystemExit(f"{options.run}: a run without the {STATE} that resuming it needs; name another folder")
    try:
        began = vars(arguments([str(options.run), "--data", ""])) | json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SystemExit(f"{path}: {error}")
    # As text, since the order of --keep's patterns matters.
    differing = [k for k in asked if k not in MAY_CHANGE and json.dumps(asked[k]) != json.dumps(began[k])]
    if differing:
        lines = (f"  --{k.replace('_', '-')}: {began[k]} then, {asked[k]} now" for k in differing)
        advice = "give the same, or name another folder"
        raise SystemExit("\n".join((f"{options.run}: this run began with other options; {advice}:", *lines)))


def truncate_log(folder: Path, last: tuple[int, int]):
    """Drops the lines after `last`, a round and a step: what they tell of was lost, and will be trained again."""
    path = folder / "log.csv"
    if not path.exists():
        return
    # A line that lacks its end is of a process that was killed while it wrote.
    head, *lines = [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")] or [""]
    kept = [line for line in lines if tuple(map(int, line.split(",")[:2])) <= last]
    with replacing(path) as partial:
        partial.write_text("".join((head, *kept)))


def log(run: Run) -> dict[str, str]:
    """Adds a line to the log: the mean loss since the line before."""
    loss, run.losses = float(torch.stack(run.losses).mean()), []
    row = {"round": run.round, "step": run.step, "loss": f"{loss:.5f}",
           "density": f"{prune.density(run.masks):.4f}", "minutes": f"{run.minutes:.1f}"}
    path = run.folder / "log.csv"
    new = not path.exists() or path.stat().st_size == 0
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, row, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(row)
    return row


def main(argv=None):
    options = arguments(argv)
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.set_float32_matmul_precision("high")
    torch.set_flush_denormal(True)  # the optimizer's averages of pruned weights decay into them
    options.run.mkdir(parents=True, exist_ok=True)
    with held(options.run):
        train(options)


def train(options):
    check_options(options)
    try:
        run = Run(options)
        run.resume()
        patches = Patches(options.data, run.shapes, options.seed, tuple(options.tasks), options.clean_share)
    except (OSError, ValueError) as error:
        raise SystemExit(f"train.py: {error}")
    torch.backends.cudnn.benchmark = True  # all batches have one of two shapes
    stop, saved = threading.Event(), time.monotonic()
    deadline = saved + 60 * options.minutes
    for number in STOPPING:
        signal.signal(number, lambda *_: stop.set())
    while True:
        before, start = run.minutes, None
        total = math.inf if options.for_minutes else run.steps(run.round)
        batches = run.batches(patches) if run.progress < 1 else []
        bar = tqdm(batches, initial=run.step, total=total, desc=f"round {run.round}", mininterval=5)
        for degraded, clean in bar:
            run.losses.append(run.train_step(degraded, clean, patches.tasks_at(run.batch)))
            start = start or time.monotonic()  # the first step also compiles and captures, which is no training
            run.minutes = before + (time.monotonic() - start) / 60
            if run.step % LOG_EVERY == 0 or run.progress == 1:
                bar.set_postfix(loss=log(run)["loss"])
            stopping = stop.is_set() or time.monotonic() > deadline
            if time.monotonic() > saved + SAVE_EVERY or stopping:
                run.save()
                saved = time.monotonic()
            if stopping:
                return
            if run.progress == 1:
                break
        if options.for_minutes and options.method == "gradual":
            run.prune_gradually()  # the end may come between two prunings
        run.save()
        if run.round == run.rounds:
            return
        run.end_round()


if __name__ == "__main__":
    main()
