"""Draws time and peak memory against size, from the figures of the parts `peers` and `sizes` and their commit, as JSON
on stdin.

    plot.py OUT.svg
"""

import json
import sys

from measure import OWN, area
from report import NAMES, by_weights

STYLES = {
    "mirl": ("#c0392b", "o"), "onnxruntime": ("#2c3e50", "s"), "openvino": ("#2980b9", "^"),
    "openvino-bf16": ("#7fb3d5", "v"), "pytorch": ("#d68910", "D"), "pytorch-channels-last": ("#f0b27a", "d"),
}  # fmt: skip


def lines(figures: dict) -> tuple[str, int, dict[str, list[tuple[float, float, float]]]]:
    """The weights of which most sizes were measured, the threads, and (megapixels, seconds, megabytes) for each
    engine."""
    weights, peers = max(by_weights(figures["peers"]).items(), key=lambda group: len(group[1]))
    threads = {int(row["threads"]) for row in [*peers, *figures["sizes"]]}
    if len(threads) > 1:
        raise SystemExit(f"plot.py: figures of {' and of '.join(map(str, sorted(threads)))} threads do not compare")
    points: dict[str, list] = {"mirl": []}
    for row in figures["sizes"]:
        if row["weights"] == weights:
            points["mirl"].append((area(row["size"]) / 1e6, row["median_ms"] / 1e3, row["peak_mb"]))
    for row in peers:
        if row["engine"] not in OWN:
            point = (area(row["size"]) / 1e6, row["median_s"], row["peak_bytes"] / 1e6)
            points.setdefault(row["engine"], []).append(point)
    return weights, threads.pop(), points


def main():
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    figures = json.load(sys.stdin)
    weights, threads, points = lines(figures)
    plt.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "mirl", "font.size": 10, "font.family": "sans-serif"}
    figure, panels = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    for panel, column, label in zip(panels, (1, 2), ("seconds", "peak memory of the process, MB")):
        for engine, rows in points.items():
            colour, marker = STYLES[engine]
            panel.plot([row[0] for row in rows], [row[column] for row in rows], color=colour, marker=marker,
                       markersize=4, linewidth=2 if engine == "mirl" else 1, label=NAMES[engine])  # fmt: skip
        panel.set(xscale="log", yscale="log", xlabel="megapixels", ylabel=label)
        panel.grid(True, which="major", color="#dddddd", linewidth=0.5)
    panels[0].legend(frameon=False, fontsize=9)
    figure.suptitle(f"{weights}, {threads} threads, commit {figures['commit']}", fontsize=10)
    figure.savefig(sys.argv[1], metadata={"Date": None})


if __name__ == "__main__":
    main()
