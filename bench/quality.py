"""Fills the README's results: what mirl-filter does to the photos of a folder, and what it costs.

    python bench/quality.py DATA [--readme README.md] [--limit N]

DATA is laid out as training/evaluate.py says. The section between `<!-- results -->` and `<!-- /results -->` is
replaced; without --readme it is only printed. Needs the packages of training/requirements.txt.
"""

import argparse
import re
import shlex
import sys
from pathlib import Path

import measure  # first, as it finds the folder of the next
import revision
from measure import Missing, one_process

ROOT = Path(__file__).parents[1]
SECTION = re.compile(r"(<!-- results -->\n).*?(<!-- /results -->)", re.S)
JPEG_481X321 = re.compile(rb"\xff[\xc0-\xc2]..\x08(\x01\x41\x01\xe1|\x01\xe1\x01\x41)", re.S)  # or upright
RUNS = 5


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("data", type=Path)
    add("--filter", type=Path, default=ROOT / ".build/release/mirl-filter")
    add("--readme", type=Path, help="file to fill")
    add("--photo", type=Path, help="481x321 photo to time; by default the first of DATA/denoise")
    add("--limit", type=int, help="so many images of each folder and style, for a quick look")
    return parser.parse_args()


def quality(command: list[str], data: Path, limit: int | None) -> str:
    """A Markdown table of what training/evaluate.py measures, with the task named and without."""
    import evaluate  # not before, as the peak memory of a process counts what its parent had when it began

    def measured(*words: str) -> dict[str, dict[str, str]]:
        asked = [str(data), *words, *(["--limit", str(limit)] if limit else [])]
        rows, _ = evaluate.measure(evaluate.arguments(asked))
        return {row.set: dict(zip(evaluate.COLUMNS, row.cells())) for row in rows}

    told = measured("--command", shlex.join([*command, "--task", "{task}"]))
    untold = measured("--command", shlex.join(command), "--tasks", *evaluate.TASKS)
    for name, row in told.items():
        row["gain_auto"] = untold[name]["gain"] if name in untold else ""
    columns = {
        "set": "set", "images": "images", "psnr_in": "PSNR in", "psnr_out": "PSNR out", "gain": "gain",
        "gain_auto": "gain, `auto`", "ssim_in": "SSIM in", "ssim_out": "SSIM out",
    }  # fmt: skip
    return evaluate.markdown(list(columns.values()), [[row[name] for name in columns] for row in told.values()])


def find_photo(folder: Path) -> Path:
    for path in sorted(folder.glob("*.jpg")):
        if JPEG_481X321.search(path.read_bytes()):
            return path
    raise SystemExit(f"{folder}: no 481x321 JPEG; name one with --photo")


def cost(command: list[str], photo: Path) -> tuple[float, float]:
    """Seconds of the best of some runs, and peak megabytes, of the whole process."""
    runs = [one_process(command, photo) for _ in range(RUNS)]
    return min(seconds for seconds, _ in runs), max(peak for _, peak in runs) / 1e6


def report(options) -> str:
    command = [str(options.filter), "-q"]
    photo = options.photo or find_photo(options.data / "denoise")
    commit = revision.commit_for(options.readme) if options.readme else revision.commit()
    made = measure.machine_facts()
    costs = [(n, *cost(command + ["--threads", str(n)], photo)) for n in (1, 2)]
    lines = [
        "PSNR (dB) and SSIM of the input and of what `mirl-filter --task` makes of it, and the gain where the network"
        " must judge for itself (`auto`); `clean` is what that does to photos that need nothing, compared with"
        " themselves:",
        "",
        quality(command, options.data, options.limit).rstrip(),
        "",
        f"A 481x321 photo, restored with `auto`, the whole process, best of {RUNS}:",
        "",
        "| threads | seconds | peak memory, MB |",
        "| ---: | ---: | ---: |",
        *(f"| {n} | {seconds:.2f} | {megabytes:.0f} |" for n, seconds, megabytes in costs),
        "",
        f"Weights, those built in: {revision.built_in(options.filter)}. Measured by `bench/quality.py` at commit"
        f" {commit} on {made['cpu']}, {made['cpus']} logical CPUs.",
    ]
    return "\n".join(lines) + "\n"


def main():
    options = arguments()
    for path in (options.filter, options.data):
        if not path.exists():
            raise SystemExit(f"{path}: not there")
    if options.readme and not SECTION.search(options.readme.read_text()):
        raise SystemExit(f"{options.readme}: no `<!-- results -->` and `<!-- /results -->` to write between")
    text = report(options)
    sys.stdout.write(text)
    if options.readme:
        filled = SECTION.sub(lambda found: found[1] + text + found[2], options.readme.read_text())
        options.readme.write_text(filled)


if __name__ == "__main__":
    try:
        main()
    except Missing as problem:
        raise SystemExit(f"quality.py: {problem}") from None
