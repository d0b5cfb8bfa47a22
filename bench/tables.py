"""Writes docs/quality.md: what networks and classical methods make of the same images, a table per task.

    python bench/tables.py DATA [--network "one for all tasks=weights/lite.mirl"] [--limit N]

DATA is laid out as training/evaluate.py says, whose protocol this is. One column is of mirl-filter with the weights
built in, others of the networks that are named, through it. The figures of the classical methods, some of which are
slow, are kept in build/quality/ and taken from there the next time.
Needs the packages of training/requirements.txt.
"""

import argparse
import csv
import datetime
import hashlib
import os
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "training"))

import baselines  # noqa: E402
import evaluate  # noqa: E402
import revision  # noqa: E402

HEADINGS = {"denoise": "Noise", "derain": "Rain", "dehaze": "Haze", evaluate.AUTO: "Clean photos"}
NOTES = {
    "denoise": "Gaussian noise of the given standard deviation, of 255. Non-local means (scikit-image) and BM3D (its"
    " authors' package) are told it; the network is not. `grey` is a photo in grey, `420` a video frame with two"
    " samples of colour for four pixels, both with a standard deviation of 25.",
    "derain": "The letters name styles of synthetic rain. The guided filter takes each channel as its own guide.",
    "dehaze": "The letters name styles of synthetic haze: `cam` street, `in` indoor, `out` outdoor. The dark channel"
    " prior is that of He, Sun and Tang, with their constants and the guided filter.",
    evaluate.AUTO: "What `--task auto` does to photos that need nothing, compared with themselves: the nearer to 60 dB"
    " and 1, the better.",
}

BUILT_IN = "mirl"  # the title of the weights built in


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("data", type=Path)
    add("--network", action="append", default=[], metavar="TITLE=FILE", help=".mirl file and what its column is called")
    add("--filter", type=Path, default=ROOT / ".build/release/mirl-filter")
    add("--limit", type=int, help="so many images of each folder and style, evenly spread")
    add("--crop", type=int, help="only the central square of so many pixels")
    add("--out", type=Path, default=ROOT / "docs/quality.md")
    add("--kept", type=Path, default=ROOT / "build/quality", help="folder of the classical methods' figures")
    return parser.parse_args()


def measured(options, *restorer: str) -> dict[str, dict[str, str]]:
    """The rows of evaluate.py, by set."""
    asked = [str(options.data), *restorer]
    for name in ("limit", "crop"):
        if value := getattr(options, name):
            asked += [f"--{name}", str(value)]
    rows, _ = evaluate.measure(evaluate.arguments(asked))
    return {row.set: dict(zip(evaluate.COLUMNS, row.cells())) for row in rows}


def fingerprint(options) -> str:
    """Of what the figures of classical methods depend on: the images, how many of which size, and the programs."""
    images = [Path(folder, name) for folder, _, names in os.walk(options.data, followlinks=True) for name in names]
    programs = sorted((ROOT / "training" / name) for name in ("baselines.py", "data.py", "evaluate.py"))
    state = hashlib.sha256(f"{options.limit} {options.crop}".encode())
    files = [(path.relative_to(options.data), path) for path in sorted(images)]
    for name, path in files + [(path.name, path) for path in programs]:
        state.update(f" {name} {hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return state.hexdigest()[:12]


def by_baseline(options, name: str) -> dict[str, dict[str, str]]:
    path = options.kept / f"{name}-{options.fingerprint}.csv"
    if not path.exists():
        rows = measured(options, "--baseline", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, evaluate.COLUMNS)
            writer.writeheader()
            writer.writerows(rows.values())
    with path.open(newline="") as file:
        return {row["set"]: row for row in csv.DictReader(file)}


def by_filter(options, *words: str) -> dict[str, dict[str, str]]:
    command = [str(options.filter), "-q", *words]
    return measured(options, "--command", shlex.join(command) + " --task {task}")


def task_of(name: str) -> str:
    kind = name.split()[0].rstrip(",")
    return "denoise" if kind == "noise" else evaluate.AUTO if kind == "clean" else evaluate.PAIRED[kind]


def section(task: str, methods: dict[str, dict], networks: dict[str, dict]) -> str:
    """A heading, a note and a table: a line for each set, a column for the input and for each method."""
    everything = methods | networks
    sets = [name for name in next(iter(networks.values())) if task_of(name) == task]

    def figures(row: dict[str, str], side: str) -> str:
        return f"{row[f'psnr_{side}']} / {float(row[f'ssim_{side}']):.3f}"

    given = [] if task == evaluate.AUTO else ["input"]
    lines = []
    for name in sets:
        rows = [rows[name] for rows in everything.values()]
        before = [figures(rows[0], "in")] * len(given)
        lines.append([name, rows[0]["images"], *before, *(figures(row, "out") for row in rows)])
    table = evaluate.markdown(["set", "images", *given, *everything], lines)
    return f"## {HEADINGS[task]}\n\n{NOTES[task]}\n\n{table}\n"


INTRODUCTION = """# How well it restores

PSNR in dB and SSIM, the higher the better, means over images that no network was trained on. The protocol is that of
`training/evaluate.py`.

"""

SHEET = """## To the eye

![Before and after: a drawn landscape in rain, in haze, noisy, and clean](contact-sheet.webp)

A drawn landscape, by `bench/contact_sheet.py`, which makes such a page of any folder of photos.

"""


def how(options, named: dict[str, str], commit: str) -> str:
    images = f"{options.limit} images of each folder and style, evenly spread" if options.limit else "all images"
    pixels = f", the central {options.crop} pixels squared of each" if options.crop else ""
    others = (f"; {title}: {revision.weights(Path(path))}" for title, path in named.items())
    files = f"those built in: {revision.built_in(options.filter)}" + "".join(others)
    return (
        f"## How this was measured\n\nOn {images}{pixels}. Weights, through `mirl-filter --task`: {files}.\n"
        f"Written by `bench/tables.py` on {datetime.date.today():%-d %B %Y} at commit {commit}.\n"
    )


def main():
    options = arguments()
    named = dict(given.rpartition("=")[::2] for given in options.network)
    if not {"", BUILT_IN}.isdisjoint(named):
        raise SystemExit(f"tables.py: name a network as --network TITLE=FILE, with another title than {BUILT_IN}")
    for path in (options.filter, options.data, *named.values()):
        if not Path(path).exists():
            raise SystemExit(f"{path}: not there")
    commit = revision.commit_for(options.out)
    options.fingerprint = fingerprint(options)
    networks = {BUILT_IN: by_filter(options)}
    networks |= {title: by_filter(options, "--weights", path) for title, path in named.items()}
    tasks = {task_of(name) for rows in networks.values() for name in rows}
    text = INTRODUCTION
    for task in filter(tasks.__contains__, HEADINGS):
        methods = {m.title: by_baseline(options, name) for name, m in baselines.METHODS.items() if m.task == task}
        text += section(task, methods, networks)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text + SHEET + how(options, named, commit))


if __name__ == "__main__":
    main()
