"""Shows what mirl-filter does to the pictures of a folder: one page with each before and after, for looking at.

    python bench/contact_sheet.py FOLDER OUT.webp --task dehaze
    python bench/contact_sheet.py --drawn docs/contact-sheet.webp

A picture is restored as it is, and made smaller only then. With --drawn, the landscape of examples/demo/render.c is
taken instead of photos, in rain, noise and haze, each restored with its task. The page is a JPEG or WebP file by its
suffix, compressed as much as --kilobytes asks. Needs the packages of training/requirements.txt.
"""

import argparse
import io
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "training"))

from data import add_haze, add_noise, load_photo, photos  # noqa: E402

GAP, CAPTION = 8, 20  # pixels
QUALITIES = range(92, 29, -4)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("folder", type=Path, nargs="?", help="pictures to restore")
    add("out", type=Path, help=".jpg or .webp")
    add("--drawn", action="store_true", help="take the drawn landscape, not a folder")
    add("--task", default="auto", help="for a folder")
    add("--filter", type=Path, default=ROOT / ".build/release/mirl-filter")
    add("--weights", type=Path, help="instead of those built in")
    add("--width", type=int, default=1500, help="of the page, pixels")
    add("--pairs", type=int, default=2, help="pictures side by side, each before and after")
    add("--kilobytes", type=int, default=400)
    options = parser.parse_args()
    if options.drawn != (options.folder is None):
        parser.error("give either a folder or --drawn")
    if options.out.suffix not in (".jpg", ".jpeg", ".webp"):
        parser.error(f"{options.out}: neither .jpg nor .webp")
    return options


def drawn(folder: Path) -> list[tuple[Path, str]]:
    """The landscape and its degradations, drawn into `folder`: paths and tasks."""
    subprocess.run(["cc", "-O2", "-o", folder / "render", ROOT / "examples/demo/render.c", "-lm"], check=True)
    subprocess.run([folder / "render", folder], check=True)
    clean = load_photo(folder / "clean.ppm").astype(np.float32) / 255
    height, width, _ = clean.shape
    far = 1 - np.arange(height, dtype=np.float32) / (0.7 * height)  # the ground comes nearer downwards
    far = np.clip(far, 0.05, 1)
    hazy = add_haze(np.random.default_rng(2), clean, np.broadcast_to(far[:, None], (height, width)))
    noisy = add_noise(np.random.default_rng(0), clean, 25)
    for name, image in (("hazy", hazy), ("noisy, sigma 25", noisy)):
        Image.fromarray(np.round(image * 255).astype(np.uint8)).save(folder / f"{name}.png")
    tasks = {"rainy.ppm": "derain", "hazy.png": "dehaze", "noisy, sigma 25.png": "denoise", "clean.ppm": "auto"}
    return [(folder / name, task) for name, task in tasks.items()]


def restored(options, path: Path, task: str) -> Image.Image:
    command = [options.filter, "-q", "--task", task, *(["--weights", options.weights] if options.weights else []), path]
    done = subprocess.run(command, stdout=subprocess.PIPE)
    if done.returncode:
        raise SystemExit(f"{options.filter}: exit {done.returncode}")
    return Image.open(io.BytesIO(done.stdout)).convert("RGB")


def pair(options, path: Path, task: str, width: int) -> Image.Image:
    """Before and after, `width` pixels each, under their captions."""
    with Image.open(path) as image:
        before = ImageOps.exif_transpose(image).convert("RGB")
    after = restored(options, path, task)
    height = round(width * before.height / before.width)
    cell = Image.new("RGB", (2 * width + GAP, height + CAPTION), "white")
    draw, font = ImageDraw.Draw(cell), ImageFont.load_default(13)
    for left, image, caption in ((0, before, path.stem), (width + GAP, after, f"mirl-filter --task {task}")):
        draw.text((left, 2), caption, "black", font)
        cell.paste(image.resize((width, height), Image.Resampling.LANCZOS), (left, CAPTION))
    return cell


def page(cells: list[Image.Image], pairs: int) -> Image.Image:
    rows = [cells[i : i + pairs] for i in range(0, len(cells), pairs)]
    heights = [max(cell.height for cell in row) + GAP for row in rows]
    width = max(sum(cell.width + GAP for cell in row) for row in rows)
    sheet = Image.new("RGB", (width + GAP, sum(heights) + GAP), "white")
    for top, row in zip(np.cumsum([GAP, *heights]).tolist(), rows):
        for column, cell in enumerate(row):
            sheet.paste(cell, (GAP + column * (cell.width + GAP), top))
    return sheet


def save(sheet: Image.Image, path: Path, kilobytes: int):
    """At the best of QUALITIES that stays below the limit."""
    kind = "WEBP" if path.suffix == ".webp" else "JPEG"
    for quality in QUALITIES:
        buffer = io.BytesIO()
        sheet.save(buffer, kind, quality=quality)
        if buffer.tell() < 1000 * kilobytes:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(buffer.getvalue())
            return
    size = f"{buffer.tell() // 1000} kB even at quality {quality}"
    raise SystemExit(f"{path}: {size}; take a smaller --width, or fewer pictures")


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        pictures = drawn(Path(folder)) if options.drawn else [(path, options.task) for path in photos(options.folder)]
        if not pictures:
            raise SystemExit(f"{options.folder}: no pictures")
        each = (options.width - GAP) // (2 * options.pairs) - GAP
        cells = [pair(options, path, task, each) for path, task in pictures]
    save(page(cells, options.pairs), options.out, options.kilobytes)


if __name__ == "__main__":
    main()
