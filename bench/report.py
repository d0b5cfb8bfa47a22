"""The report of the benchmark: Markdown tables of the figures, and the plot of time and memory against size."""

import json
import re
import subprocess
import sys
from pathlib import Path

from measure import OWN, comparable_stamps

FIGURES = re.compile(r"(<!-- figures -->\n)(.*?)(<!-- /figures -->)", re.S)
NAMES = {
    "mirl": "mirl", "mirl-bf16": "mirl, bf16", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO",
    "openvino-bf16": "OpenVINO, bf16", "pytorch": "PyTorch", "pytorch-channels-last": "PyTorch, channels last",
}  # fmt: skip


def table(head: list[str], rows: list[list]) -> str:
    """Markdown; the first column to the left, the others to the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def digits(value, unit: float = 1) -> str:
    """About three significant digits; a dash for what is not there."""
    if value is None:
        return "-"
    value /= unit
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def by_weights(figures: list[dict]) -> dict[str, list[dict]]:
    groups: dict[str, list[dict]] = {}
    for row in figures:
        groups.setdefault(row["weights"], []).append(row)
    return groups


def of_weights(rows: list[dict]) -> str:
    """The weights that rows are of."""
    return f"`{rows[0]['weights']}` (SHA-256 {rows[0]['sha256']})"


# --- Sections, each from the figures of one part ------------------------------------------------------------------


def peers(figures: list[dict]) -> str:
    sections = []
    for rows in by_weights(figures).values():
        own = {row["size"]: row["median_s"] for row in rows if row["engine"] == "mirl"}
        body = [[
            row["size"], f"{NAMES[row['engine']]} {'' if row['engine'] in OWN else row['version']}".strip(),
            digits(row["best_s"]), digits(row["median_s"]), f"{row['median_s'] / own[row['size']]:.1f}",
            digits(row["load_s"]), digits(row["peak_bytes"], 1e6), digits(row.get("psnr_db")),
            f"{row['largest']:.1e}" if row.get("largest") else "-",
        ] for row in rows]  # fmt: skip
        head = ["size", "engine", "best, s", "median, s", "time / mirl's", "load, s", "peak, MB", "PSNR, dB",
                "largest difference"]  # fmt: skip
        sections.append(f"{of_weights(rows)}, {rows[0]['threads']} threads:\n\n{table(head, body)}")
    return "\n".join(sections)


def machine(figures: list[dict]) -> str:
    return table(["what", "threads", "rate"], [
        [row["what"].replace("_", " "), f"{row['threads']:.0f}", f"{digits(row['value'])} {row['unit']}"]
        for row in figures])  # fmt: skip


def kernels(figures: list[dict]) -> str:
    """Products with a column for each density, then what has no density."""
    products: dict[tuple, dict] = {}
    others = []
    for row in figures:
        if isinstance(row["density_%"], float):
            products.setdefault((row["kernel"], row["shape"]), {})[row["density_%"]] = row
        else:
            others.append(row)
    densities = sorted({density for rows in products.values() for density in rows})

    def cell(row: dict | None) -> str:
        if row is None:
            return ""
        if isinstance(share := row["share_%"], float):
            return f"{row['rate']:.0f} ({share:.0f}%)"
        return f"{row['rate']:.1f} {row['unit']}"

    sparse = [[f"{kernel} {whole(shape)}", *(cell(rows.get(density)) for density in densities)]
              for (kernel, shape), rows in products.items()]  # fmt: skip
    dense = [[f"{row['kernel']} {whole(row['shape'])}", f"{digits(row['rate'])} {row['unit']}",
              f"{row['share_%']:.0f}%" if isinstance(row["share_%"], float) else ""] for row in others]  # fmt: skip
    return (table(["GFLOP/s at density", *(f"{density:.0f}%" for density in densities)], sparse) + "\n"
            + table(["kernel", "rate", "share of peak"], dense))  # fmt: skip


def whole(word) -> str:
    return f"{word:.0f}" if isinstance(word, float) else word


def sizes(figures: list[dict]) -> str:
    return f"![Time and memory against size](speed.svg)\n\n{figures[0]['threads']:.0f} threads:\n\n" + table(
        ["weights", "size", "best, ms", "median, ms", "µs per pixel", "peak, MB"],
        [[f"`{row['weights']}`", row["size"], digits(row["best_ms"]), digits(row["median_ms"]),
          digits(row["us_per_px"]), digits(row["peak_mb"])] for row in figures])  # fmt: skip


def threads(figures: list[dict]) -> str:
    rows = []
    for one, two in zip(figures[::2], figures[1::2]):
        rows.append([f"`{one['weights']}`", one["size"], digits(one["best_ms"]), digits(two["best_ms"]),
                     f"{one['best_ms'] / two['best_ms']:.2f}"])  # fmt: skip
    return table(["weights", "size", "1 thread, ms", "2 threads, ms", "ratio"], rows)


def opening(figures: list[dict]) -> str:
    return table(["weights", "first, ms", "best, ms", "median, ms", "resident before, MB", "after, MB"], [
        [f"`{row['weights']}`",
         *(digits(row[key]) for key in ("first_ms", "best_ms", "median_ms", "before_mb", "after_mb"))]
        for row in figures])  # fmt: skip


def process(figures: list[dict]) -> str:
    return f"{figures[0]['threads']:.0f} threads:\n\n" + table(["weights", "best, ms", "median, ms", "peak, MB"], [
        [f"`{row['weights']}`", *(digits(row[key]) for key in ("best_ms", "median_ms", "peak_mb"))] for row in figures])


def files(figures: list[dict]) -> str:
    return table(["file", "MB"], [[row["file"], f"{row['bytes'] / 1e6:.2f}"] for row in figures])


def error(figures: list[dict]) -> str:
    sections = []
    for rows in by_weights(figures).values():
        single = next((row["rms"] for row in rows if row["engine"] == "pytorch"), None)
        sections.append(f"{of_weights(rows)}, {rows[0]['size']}:\n\n" + table(
            ["engine", "root mean square", "largest", "rms / PyTorch's"],
            [[NAMES[row["engine"]], f"{row['rms']:.2e}", f"{row['largest']:.2e}",
              f"{row['rms'] / single:.2f}" if single else "-"] for row in rows]))  # fmt: skip
    return "\n".join(sections)


SECTIONS = [
    ("Whole networks, beside other engines", peers), ("Time per pixel, and memory", sizes), ("Threads", threads),
    ("Opening a weight file", opening), ("The whole process, 64x64 PNG to PNG", process),
    ("Error against double precision", error), ("Kernels", kernels), ("The machine", machine),
    ("Files", files),
]  # fmt: skip


def sections(results: dict) -> dict[str, str]:
    """The text of each part that has figures, by its title."""
    parts = {}
    for title, section in SECTIONS:
        part = results.get(section.__name__)
        if not part or not part["figures"]:
            continue
        made = part["stamp"]
        parts[title] = (
            f"## {title}\n\n{section(part['figures'])}\n"
            f"{made['date']}, commit {made['commit']}, {made['cpu']}, {made['cpus']} CPUs,"
            f" {made['memory_gb']:.0f} GB, Linux {made['kernel']}{', --quick' if made.get('quick') else ''}.\n")
    return parts


def text(results: dict) -> str:
    return "\n".join(sections(results).values())


def merged(page: str, results: dict) -> str:
    """The page's sections, those that have figures replaced or added."""
    held = {part.split("\n")[0]: f"## {part.rstrip()}\n" for part in re.split(r"^## ", page, flags=re.M)[1:]}
    made = held | sections(results)
    return "\n".join(made[title] for title, _ in SECTIONS if title in made)


def write(results: dict, docs: Path, python: Path | None):
    """Fills docs/speed.md, where sections of parts without figures stay, and draws docs/speed.svg where matplotlib is."""
    page = docs / "speed.md"
    page.write_text(FIGURES.sub(lambda found: f"{found[1]}\n{merged(found[2], results)}\n{found[3]}", page.read_text()))
    drawn = [results[name] for name in ("peers", "sizes") if name in results]
    if python and len(drawn) == 2 and not comparable_stamps(*(part["stamp"] for part in drawn)):
        print("bench/run: the plot was not drawn: peers and sizes are of other commits or machines", file=sys.stderr)
    elif python and len(drawn) == 2:
        command = [python, Path(__file__).with_name("plot.py"), docs / "speed.svg"]
        figures = {name: results[name]["figures"] for name in ("peers", "sizes")}
        given = json.dumps({"commit": drawn[0]["stamp"]["commit"]} | figures)
        if subprocess.run(list(map(str, command)), input=given, text=True).returncode:
            print("bench/run: the plot was not drawn, see above", file=sys.stderr)
