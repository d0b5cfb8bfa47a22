"""PSNR and SSIM on a folder of photos and pairs, by the protocol of PromptIR and MIR-L.

    python evaluate.py DATA --run runs/NAME
    python evaluate.py DATA --weights FILE.safetensors --steer
    python evaluate.py DATA --command "mirl-filter -q --task {task}"
    python evaluate.py DATA --baseline bm3d --tasks denoise

DATA holds denoise/ (clean photos), rain/{input,target}/ and haze/{input,target}/; what is missing is left out. An
input's target has its name, or agrees with it up to the last underscore, or is named by what comes before the
first one (X_rainy.png and X_gt.png, 0001_0.8_0.2.jpg and 0001.png). Images are cropped centrally to multiples of 16;
noise is clip(clean + sigma * randn, 0, 255) truncated to 8 bits, the same at every run; beyond the protocol, in the sets
`grey` the photo is grey, and in `420` colours, the clean photo's too, have half the resolution, as in most video. PSNR is
taken over RGB, data range 1, and averaged over images; it is at most 60 dB, as in libvmaf for 8 bits, where one image
that comes back as it should be would make any mean infinite. A command reads PNG from stdin and writes PNG to stdout, so
its result is rounded to 8 bits.

The set `clean` tells what harm restoring does: the photos of denoise/ and rain/target/ as they are, with the task
`auto`, compared with themselves.
"""

import argparse
import csv
import hashlib
import io
import re
import shlex
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.metrics import structural_similarity
from tqdm import tqdm

import baselines
from data import SIGMAS, TASKS, add_noise, coarse_colour, grey, load_photo, photos

MULTIPLE = 16
OTHER_SIGMA = 25  # of noise that is not as in the paper
PAIRED = {"rain": "derain", "haze": "dehaze"}  # folder -> task
AUTO = "auto"  # the task of clean photos: the network judges for itself
MOST_PSNR = 60
COLUMNS = ("set", "images", "psnr_in", "psnr_out", "gain", "ssim_in", "ssim_out")


@dataclass(frozen=True)
class Case:
    """One image to restore, counted in each of `sets`; images are uint8 (height, width, 3)."""

    task: str
    sets: tuple[str, ...]
    degraded: np.ndarray
    clean: np.ndarray
    name: str
    sigma: int = 0  # of the noise


Restorer = Callable[[Case], np.ndarray]  # gives float32 0..1 (height, width, 3)


def arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("data", type=Path)
    by = parser.add_mutually_exclusive_group(required=True)
    by.add_argument("--run", type=Path, help="folder of a training run")
    by.add_argument("--weights", type=Path, help="safetensors file")
    by.add_argument("--command", help="filter from stdin to stdout; {task} stands for denoise, derain, dehaze or auto")
    by.add_argument("--baseline", choices=baselines.METHODS, help="classical method, for its task only (baselines.py)")
    add("--tasks", nargs="+", default=[*TASKS, AUTO], choices=[*TASKS, AUTO])
    add("--steer", action="store_true", help="PyTorch: fix the prompt mixtures to the task's (exported weights)")
    add("--round", action="store_true", help="PyTorch: round results to 8 bits, as a command's are")
    add("--limit", type=int, help="so many images of each folder and style, evenly spread")
    add("--crop", type=int, help="only the central square of so many pixels")
    add("--threads", type=int, default=0, help="PyTorch")
    add("--csv", type=Path, help="write the table here as CSV")
    add("--markdown", type=Path, help="write the table here as Markdown")
    add("--each", type=Path, help="write the figures of every image here as CSV")
    options = parser.parse_args(argv)
    if options.baseline:
        options.tasks = [baselines.METHODS[options.baseline].task]
    return options


# Data


def central(image: np.ndarray, crop: int | None) -> np.ndarray:
    """The middle of an image, its sides multiples of 16 and at most `crop`."""
    height, width = (min(n, crop or n) // MULTIPLE * MULTIPLE for n in image.shape[:2])
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]


def spread(items: list, limit: int | None) -> list:
    if not limit or len(items) <= limit:
        return items
    return [items[i * len(items) // limit] for i in range(limit)]


def style(path: Path) -> str:
    """The letters that a file's name begins with."""
    return re.match("[A-Za-z]*", path.stem).group()


def targets_by_name(folder: Path) -> dict[str, list[Path]]:
    """Photos by what an input may call them: their names, or those up to the last underscore where that is no name."""
    names, beginnings = defaultdict(list), defaultdict(list)
    for path in photos(folder):
        names[path.stem].append(path)
        beginnings[path.stem.rpartition("_")[0]].append(path)
    return beginnings | names


def find_target(path: Path, targets: dict[str, list[Path]]) -> Path:
    stem = path.stem
    for name in filter(None, (stem, stem.rpartition("_")[0], stem.partition("_")[0], f"no{stem}")):  # norain-001
        if len(found := targets.get(name, [])) > 1:
            raise SystemExit(f"{path}: its target may be {' or '.join(p.name for p in found)}")
        if found:
            return found[0]
    raise SystemExit(f"{path}: no target of a matching name")


def spread_by_style(paths: list[Path], limit: int | None) -> list[Path]:
    styles = sorted({style(p) for p in paths})
    return [p for s in styles for p in spread([p for p in paths if style(p) == s], limit)]


def noise_cases(folder: Path, limit: int | None, crop: int | None) -> Iterator[Case]:
    for number, path in spread(list(enumerate(photos(folder))), limit):
        clean = central(load_photo(path), crop)
        for sigma in SIGMAS:
            rng = np.random.default_rng((0, sigma, number))
            noisy = np.round(add_noise(rng, clean.astype(np.float32) / 255, sigma) * 255).astype(np.uint8)
            yield Case("denoise", (f"noise {sigma}",), noisy, clean, path.name, sigma)
        floats = clean.astype(np.float32) / 255
        for kind, pair in (("grey", noisy_grey(floats, number)), ("420", noisy_video(floats, number))):
            degraded, target = (np.round(image * 255).astype(np.uint8) for image in pair)
            yield Case("denoise", (f"noise {OTHER_SIGMA} {kind}",), degraded, target, path.name, OTHER_SIGMA)


def noisy_grey(clean: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """A photo in grey with noise, and without."""
    rng = np.random.default_rng((1, OTHER_SIGMA, number))
    clean = grey(clean)
    noise = rng.standard_normal((*clean.shape[:2], 1), dtype=np.float32)
    return (clean + OTHER_SIGMA / 255 * noise).clip(0, 1), clean


def noisy_video(clean: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """A frame with noise, and without, of which only luma has every pixel."""
    rng = np.random.default_rng((2, OTHER_SIGMA, number))
    noise = rng.standard_normal(clean.shape, dtype=np.float32)
    return coarse_colour((clean + OTHER_SIGMA / 255 * noise).clip(0, 1)), coarse_colour(clean)


def pair_cases(folder: Path, limit: int | None, crop: int | None) -> Iterator[Case]:
    targets = targets_by_name(folder / "target")
    for path in spread_by_style(photos(folder / "input"), limit):
        degraded, clean = load_photo(path), load_photo(find_target(path, targets))
        if degraded.shape != clean.shape:
            raise SystemExit(f"{path}: {degraded.shape[1::-1]} pixels, its target {clean.shape[1::-1]}")
        sets = (folder.name, f"{folder.name} {style(path)}".strip())
        pair = central(degraded, crop), central(clean, crop)
        yield Case(PAIRED[folder.name], tuple(dict.fromkeys(sets)), *pair, path.name)


def clean_cases(folders: list[Path], limit: int | None, crop: int | None) -> Iterator[Case]:
    """Photos to be left as they are; one that several folders or pairs share comes once."""
    seen = set()
    for path in (path for folder in folders if folder.is_dir() for path in spread_by_style(photos(folder), limit)):
        photo = central(load_photo(path), crop)
        if (digest := hashlib.sha256(photo.tobytes()).digest()) not in seen:
            seen.add(digest)
            yield Case(AUTO, ("clean",), photo, photo, path.name)


def cases(options) -> Iterator[Case]:
    if "denoise" in options.tasks and (options.data / "denoise").is_dir():
        yield from noise_cases(options.data / "denoise", options.limit, options.crop)
    for name, task in PAIRED.items():
        if task in options.tasks and (options.data / name).is_dir():
            yield from pair_cases(options.data / name, options.limit, options.crop)
    if AUTO in options.tasks:
        folders = [options.data / "denoise", options.data / "rain" / "target"]
        yield from clean_cases(folders, options.limit, options.crop)


# Restorers


def by_pytorch(path: Path, steer: bool, rounded: bool, threads: int) -> Restorer:
    import torch

    from restore import load_network, restore

    if threads:
        torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network, mixtures = load_network(path)
    network.to(device)
    if steer and not mixtures:
        raise SystemExit(f"{path}: no mixtures to steer with; export.py adds them")

    def run(case: Case) -> np.ndarray:
        if steer:
            network.steer(None if case.task == AUTO else mixtures[case.task].to(device))
        batch = torch.from_numpy(case.degraded.astype(np.float32) / 255).permute(2, 0, 1)[None].to(device)
        restored = restore(network, batch)[0].clamp(0, 1).permute(1, 2, 0).cpu().numpy()
        return np.round(restored * 255) / np.float32(255) if rounded else restored

    return run


def by_command(template: str) -> Restorer:
    def run(case: Case) -> np.ndarray:
        png = io.BytesIO()
        Image.fromarray(case.degraded).save(png, "PNG", compress_level=1)
        command = [part.replace("{task}", case.task) for part in shlex.split(template)]
        done = subprocess.run(command, input=png.getvalue(), capture_output=True)
        if done.returncode:
            message = done.stderr.decode(errors="replace").strip()
            raise SystemExit(f"{shlex.join(command)}: exit {done.returncode}: {message}")
        try:
            return load_photo(io.BytesIO(done.stdout)).astype(np.float32) / 255
        except OSError:
            raise SystemExit(f"{shlex.join(command)}: wrote no image")

    return run


def by_baseline(name: str) -> Restorer:
    method = baselines.METHODS[name]
    return lambda case: method(case.degraded.astype(np.float32) / 255, case.sigma / 255)


def restorer(options) -> Restorer:
    if options.command:
        return by_command(options.command)
    if options.baseline:
        return by_baseline(options.baseline)
    path = options.weights or options.run / "weights.safetensors"
    return by_pytorch(path, options.steer, options.round, options.threads)


# Figures


def psnr(image: np.ndarray, clean: np.ndarray, most: float = MOST_PSNR) -> float:
    error = np.mean((image.astype(np.float64) - clean) ** 2)
    return float(np.minimum(most, -10 * np.log10(error))) if error else most  # NaN stays NaN


def ssim(image: np.ndarray, clean: np.ndarray) -> float:
    return float(structural_similarity(image, clean, channel_axis=-1, data_range=1))


def figures(case: Case, restorer: Restorer) -> tuple[float, ...]:
    """PSNR in and out, SSIM in and out."""
    degraded, clean = (image.astype(np.float32) / 255 for image in (case.degraded, case.clean))
    restored = restorer(case)
    if restored.shape != clean.shape:
        raise SystemExit(f"{case.name}: an image of {clean.shape} came back as {restored.shape}")
    return psnr(degraded, clean), psnr(restored, clean), ssim(degraded, clean), ssim(restored, clean)


@dataclass(frozen=True)
class Row:
    """Figures of a set of images: their means, or the worst."""

    set: str
    images: int
    psnr_in: float
    psnr_out: float
    ssim_in: float
    ssim_out: float

    def cells(self) -> tuple[str, ...]:
        """As COLUMNS; a gain over images that were perfect is left out."""
        gain = f"{self.psnr_out - self.psnr_in:+.2f}" if self.psnr_in < MOST_PSNR else ""
        psnrs = f"{self.psnr_in:.2f}", f"{self.psnr_out:.2f}", gain
        return self.set, str(self.images), *psnrs, f"{self.ssim_in:.4f}", f"{self.ssim_out:.4f}"


def measure(options) -> tuple[list[Row], list[Row]]:
    """The figures of every set, and of every image."""
    restore, results, each = restorer(options), {}, []
    for case in tqdm(cases(options), unit="image", disable=None):
        measured = figures(case, restore)
        each.append(Row(f"{case.sets[-1]}: {case.name}", 1, *measured))
        for name in case.sets:
            results.setdefault(name, []).append(measured)
    if not each:
        raise SystemExit(f"{options.data}: no denoise/, rain/ or haze/ with images of the asked tasks")
    rows = [Row(name, len(found), *np.mean(found, axis=0)) for name, found in results.items()]
    if worst := results.get("clean"):
        rows.append(Row("clean, the worst", 1, *min(worst, key=lambda figures: figures[1])))
    return rows, each


def markdown(head: list[str], lines: list[list[str]]) -> str:
    """A table whose first column has names, and the others figures."""
    ruler = ["---"] + ["---:"] * (len(head) - 1)
    return "".join("| " + " | ".join(line) + " |\n" for line in [head, ruler, *lines])


def as_markdown(rows: list[Row]) -> str:
    head = ["set", "images", "PSNR in", "PSNR out", "gain", "SSIM in", "SSIM out"]
    return markdown(head, [list(row.cells()) for row in rows])


def as_text(rows: list[Row]) -> str:
    lines = [COLUMNS] + [row.cells() for row in rows]
    first, *others = (max(map(len, column)) for column in zip(*lines))
    return "".join(
        line[0].ljust(first) + "".join(f"  {cell:>{width}}" for cell, width in zip(line[1:], others)) + "\n"
        for line in lines
    )


def write_csv(path: Path, rows: list[Row]):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *(row.cells() for row in rows)])


def main():
    options = arguments()
    try:
        rows, each = measure(options)
    except (OSError, ValueError) as error:
        raise SystemExit(f"evaluate.py: {error}")
    sys.stdout.write(as_text(rows))
    if options.markdown:
        options.markdown.write_text(as_markdown(rows))
    if options.csv:
        write_csv(options.csv, rows)
    if options.each:
        write_csv(options.each, each)


if __name__ == "__main__":
    main()
