"""The parts of the benchmark: each runs processes and returns its figures, as lists of dictionaries."""

import hashlib
import json
import os
import platform
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "training"))

import revision  # noqa: E402

BUILT = ROOT / ".build/release"
WORK = ROOT / "build/bench"
VENV = ROOT / "build/bench-venv"
REQUIREMENTS = ROOT / "bench/requirements.txt"
CPU_WHEELS = "https://download.pytorch.org/whl/cpu"

OWN = {"mirl": "fp32", "mirl-bf16": "bf16"}  # mirl itself, and its --precision
PEERS = ["onnxruntime", "openvino", "openvino-bf16", "pytorch", "pytorch-channels-last"]
REFERENCE = "pytorch"
PROCESS_RUNS = 50
PEER_LIMIT_S = 900


class Missing(Exception):
    pass


def note(text: str):
    print(text, file=sys.stderr, flush=True)


def require_tools():
    for name in ("mirl-bench", "mirl-filter"):
        if not (BUILT / name).exists():
            raise Missing(f"{BUILT / name}: not there; run `make` first")


def default_weights() -> list[Path]:
    full = WORK / "full-random.mirl"
    if not full.exists():
        note(f"making {full}")
        bench("random-weights", full)
    return [*sorted((ROOT / "weights").glob("*.mirl")), full]


def virtual_environment() -> Path | None:
    """The interpreter of the peers' environment, made on first use; None, said on stderr, where that fails."""
    python, mark = VENV / "bin/python", VENV / "requirements"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if mark.exists() and mark.read_text() == wanted:
        return python
    note(f"installing other engines in {VENV}, a gigabyte or so")
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    torch = re.search(r"^torch==.*$", REQUIREMENTS.read_text(), re.M)[0]
    try:
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        # PyTorch's own index has it without CUDA, PyPI several times as large; without dependencies, as it lacks some.
        small = [*pip, "--no-deps", "--retries", "1", "--index-url", CPU_WHEELS, torch]
        subprocess.run(small, check=False, stderr=subprocess.DEVNULL)
        subprocess.run([*pip, "-r", REQUIREMENTS], check=True)
    except (OSError, subprocess.CalledProcessError) as problem:
        note(f"Other engines are left out: they could not be installed (internet? python3-venv?): {problem}")
        return None
    mark.write_text(wanted)
    return python


def bench(*words) -> list[dict]:
    """The table that a command of mirl-bench prints."""
    done = subprocess.run([BUILT / "mirl-bench", *map(str, words)], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise Missing(f"mirl-bench {' '.join(map(str, words))}: exit {done.returncode}")
    head, *rows = [line.split() for line in done.stdout.splitlines()] or [[]]
    return [dict(zip(head, map(number, row))) for row in rows]


def number(word: str):
    try:
        return float(word)
    except ValueError:
        return word


def machine_facts() -> dict:
    names = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "cpu": names[0] if names else platform.machine(), "kernel": platform.release(),
        "memory_gb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9,
    }  # fmt: skip


def stamp(options) -> dict:
    """When figures are made, and what they depend on."""
    asked = {"threads": options.threads, "quick": options.quick}
    return {"date": date.today().isoformat(), "commit": revision.commit(revision.FREE)} | machine_facts() | asked


def warn_if_busy():
    """Says on stderr if other processes keep the processors from being measured."""
    def ticks() -> tuple[int, int]:
        numbers = [int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
        return sum(numbers[:8]), numbers[3] + numbers[4]  # all; idle and waiting

    before, idle_before = ticks()
    time.sleep(1)
    after, idle_after = ticks()
    busy = 1 - (idle_after - idle_before) / (after - before)
    if busy > 0.1:
        note(f"   The processors are {busy:.0%} busy with something else: times will be too long.")


def named(weights: Path) -> dict:
    """What tells weights apart in the figures."""
    return {"weights": weights.name, "sha256": hashlib.sha256(weights.read_bytes()).hexdigest()[:12]}


def comparable_stamps(one: dict, other: dict) -> bool:
    """Whether figures with these stamps are of one commit and one machine."""
    return one | {"date": ""} == other | {"date": ""}


def merged(old: dict | None, made: dict, figures: list[dict]) -> dict:
    """A part's figures, with those that it had before of other weights and sizes, if nothing else has changed since."""
    def key(row):
        return row.get("weights", ""), area(row["size"]) if "size" in row else 0

    measured = {key(row) for row in figures}
    contents = {row.get("weights"): row.get("sha256") for row in figures}
    comparable = old and comparable_stamps(old["stamp"], made)
    kept = [
        row for row in (old["figures"] if comparable else [])
        if key(row) not in measured and contents.get(row.get("weights"), row.get("sha256")) == row.get("sha256")
    ]  # fmt: skip
    return {"stamp": made, "figures": sorted(kept + figures, key=key)}


# --- Parts ------------------------------------------------------------------------------------------------------


def machine(options) -> list[dict]:
    """Peak of fp32 arithmetic for each vector width, bandwidth of the memory."""
    return bench("machine", "--threads", options.threads)


def kernels(options) -> list[dict]:
    """Speed of each kernel on the network's shapes."""
    return bench("kernels")


def peers(options) -> list[dict]:
    """Whole networks, by mirl and by other engines, and how far their outputs are from PyTorch's."""
    rows = []
    for weights in options.weights:
        large = weights.stat().st_size > 4e6
        sizes = options.sizes.split(",") if options.sizes else ["256x256"]
        if large and not (options.sizes or options.quick):
            sizes = ["128x128", "256x256", "384x384"]
        for size in sizes:
            rows += compare_engines(options, weights, size, rows)
    return rows


def compare_engines(options, weights: Path, size: str, earlier: list[dict]) -> list[dict]:
    opened = bench("open", weights)[0]
    rows, outputs = [], {}
    for engine, precision in OWN.items():
        restored = bench(
            "restore", weights, size, "--threads", options.threads, "--precision", precision, "--seconds", 5)[0]
        rows.append({
            "engine": engine, "version": revision.commit(revision.FREE), "best_s": restored["best_ms"] / 1e3,
            "median_s": restored["median_ms"] / 1e3, "runs": restored["runs"], "load_s": opened["first_ms"] / 1e3,
            "peak_bytes": restored["peak_mb"] * 1e6,
        })  # fmt: skip
        outputs[engine] = WORK / f"{size}-{engine}.f32"
        bench("output", weights, size, outputs[engine], "--precision", precision)
    for engine in PEERS if options.venv else []:
        outputs[engine] = WORK / f"{size}-{engine}.f32"
        row = run_peer(options, engine, weights, size, outputs[engine], earlier)
        if row:
            rows.append(row)
            note(f"   {size} {engine}: {row['median_s']:.3f} s, mirl {rows[0]['median_s']:.3f} s")
    measured = [row["engine"] for row in rows]
    if REFERENCE in measured:
        differences = distances(options, outputs[REFERENCE], [outputs[engine] for engine in measured])
        for row, difference in zip(rows, differences):
            row |= difference
    return [named(weights) | {"size": size, "threads": options.threads} | row for row in rows]


def run_peer(
    options, engine: str, weights: Path, size: str, output: Path, earlier: list[dict], *, seconds=6
) -> dict | None:
    """What peer.py measures; None, said on stderr, if the engine fails or the memory would not suffice."""
    pixels = area(size)
    for row in earlier:
        if (row["engine"], row["weights"]) == (engine, weights.name) and area(row["size"]) < pixels:
            expected = row["peak_bytes"] * pixels / area(row["size"])
            if expected > 0.8 * available_memory():
                note(f"   {engine} is left out at {size}: it would take about {expected / 1e9:.0f} GB")
                return None
    seconds = min(2, seconds) if options.quick else seconds
    command = [options.venv, ROOT / "bench/peer.py", engine, "--weights", weights, "--picture", picture(size)]
    command += ["--output", output, "--threads", options.threads, "--seconds", seconds]
    if "pytorch" not in engine:
        try:
            command += ["--onnx", onnx(options, weights, size)]
        except Missing as problem:
            note(f"   {engine} is left out: {problem}")
            return None
    return next(iter(python_lines(command, engine)), None)


def python_lines(command: list, name: str) -> list[dict]:
    """The lines of JSON that a process prints; none, said on stderr, if it fails."""
    try:
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=PEER_LIMIT_S)
    except subprocess.TimeoutExpired:
        note(f"   {name} is left out: it took more than {PEER_LIMIT_S} s")
        return []
    if done.returncode:
        note(f"   {name} is left out: {failure(done)}")
        return []
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def failure(done: subprocess.CompletedProcess) -> str:
    return f"exit {done.returncode}: {(done.stderr.strip().splitlines() or ['no message'])[-1].strip()}"


def distances(options, reference: Path, outputs: list[Path]) -> list[dict]:
    return python_lines([options.venv, ROOT / "bench/compare.py", reference, *outputs], "the comparison")


def onnx(options, weights: Path, size: str) -> Path:
    """The network as ONNX, made if it is not there yet, of these weights and by these programs."""
    makers = (ROOT / "bench/peer.py", ROOT / "training/network.py", REQUIREMENTS)
    content = hashlib.sha256(b"".join(file.read_bytes() for file in (weights, *makers))).hexdigest()[:12]
    path = WORK / f"{weights.stem}-{content}-{size}.onnx"
    if not path.exists():
        partial = path.with_suffix(".partial")
        command = [options.venv, ROOT / "bench/peer.py", "export", "--weights", weights, "--size", size]
        done = subprocess.run([*map(str, command), "--onnx", partial], capture_output=True, text=True)
        if done.returncode:
            raise Missing(f"ONNX export of {weights}: {failure(done)}")
        partial.rename(path)
    return path


def picture(size: str) -> Path:
    path = WORK / f"{size}.f32"
    if not path.exists():
        bench("picture", size, path)
    return path


def area(size: str) -> int:
    width, height = map(int, size.split("x"))
    return width * height


def available_memory() -> int:
    return int(re.search(r"MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) * 1024


def sizes(options) -> list[dict]:
    """Time and peak memory of mirl from 64x64 to 2048x2048, each size a process."""
    sides = [64, 128, 256, 512, 1024] + ([] if options.quick else [2048])
    all_sizes = options.sizes.split(",") if options.sizes else [f"{side}x{side}" for side in sides]
    return [
        named(weights) | bench("restore", weights, size, "--threads", options.threads, "--seconds", 2)[0]
        for weights in options.weights for size in all_sizes
    ]  # fmt: skip


def threads(options) -> list[dict]:
    """One thread against two."""
    return [
        named(weights) | bench("restore", weights, size, "--threads", count, "--seconds", 4)[0]
        for weights in options.weights for size in ("256x256", "512x512") for count in (1, 2)
    ]  # fmt: skip


def opening(options) -> list[dict]:
    """Time to open a weight file, all checks included, and memory resident after it."""
    return [named(weights) | bench("open", weights)[0] for weights in options.weights]


def process(options) -> list[dict]:
    """The whole process mirl-filter, from a 64x64 PNG to a PNG."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "64x64.png"
        path.write_bytes(png(64, 64))
        rows = []
        for weights in options.weights:
            command = [BUILT / "mirl-filter", "-q", "--weights", weights, "--threads", str(options.threads)]
            runs = [one_process(command, path) for _ in range(PROCESS_RUNS)]
            seconds = [run[0] for run in runs]
            rows.append(named(weights) | {
                "best_ms": min(seconds) * 1e3, "median_ms": statistics.median(seconds) * 1e3,
                "runs": PROCESS_RUNS, "threads": options.threads, "peak_mb": max(run[1] for run in runs) / 1e6,
            })  # fmt: skip
        return rows


# On Linux a process's peak memory counts from what its parent held when starting it: so an interpreter that holds
# next to nothing, 8 MB or so, starts it.
STARTER = """
import os, sys, time
silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
start = time.perf_counter()
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=silent)
_, status, usage = os.wait4(child, 0)
print(time.perf_counter() - start, usage.ru_maxrss * 1024, os.waitstatus_to_exitcode(status))
"""


def one_process(command: list, stdin: Path) -> tuple[float, int]:
    """Seconds and peak bytes of a process."""
    starter = [sys.executable, "-I", "-S", "-c", STARTER, *map(str, command)]
    with stdin.open("rb") as file:
        done = subprocess.run(starter, stdin=file, stdout=subprocess.PIPE, text=True, check=True)
    seconds, peak, status = done.stdout.split()
    if status != "0":
        raise Missing(f"{command[0]}: exit {status}")
    return float(seconds), int(peak)


def png(width: int, height: int) -> bytes:
    """A gradient as an RGB PNG."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = b"".join(
        b"\0" + bytes(value for x in range(width) for value in (4 * x % 256, 4 * y % 256, 128)) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def files(options) -> list[dict]:
    """Sizes of what is installed, and of the weight files."""
    rows = [{"file": path.name, "bytes": path.stat().st_size} for path in options.weights]
    with tempfile.TemporaryDirectory() as folder:
        for name in ("libmirl.so", "mirl-filter", "mirl-weights"):
            stripped = Path(folder) / name
            subprocess.run(["strip", "-o", stripped, BUILT / name], check=True)
            rows.append({"file": f"{name}, stripped", "bytes": stripped.stat().st_size})
    return rows


def error(options) -> list[dict]:
    """Differences from PyTorch in double precision."""
    if not options.venv:
        note("   left out: it takes PyTorch")
        return []
    size, rows = ("64x64" if options.quick else "128x128"), []
    for weights in options.weights:
        exact = WORK / f"{size}-exact.f64"
        if not run_peer(options, "pytorch-float64", weights, size, exact, [], seconds=0):
            continue
        outputs = {"mirl": WORK / f"{size}-mirl.f32"}
        bench("output", weights, size, outputs["mirl"])
        for engine in PEERS:
            output = WORK / f"{size}-{engine}.f32"
            if run_peer(options, engine, weights, size, output, [], seconds=0):
                outputs[engine] = output
        differences = distances(options, exact, list(outputs.values()))
        rows += [
            named(weights) | {"size": size, "engine": engine} | difference
            for engine, difference in zip(outputs, differences)
        ]
    return rows


PARTS = {part.__name__: part for part in (machine, kernels, peers, sizes, threads, opening, process, files, error)}
