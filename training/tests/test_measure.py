"""The report keeps what still holds, and the files made here are what they should be."""

import argparse
import io
from pathlib import Path

import pytest
from PIL import Image

import measure
import plot
import report

STAMP = {"date": "today", "commit": "a"}


def row(weights: str, size: str, value: int) -> dict:
    return {"weights": weights, "size": size, "value": value}


@pytest.mark.parametrize("day", ["today", "yesterday"])
def test_figures_of_other_sizes_are_kept_in_order(day):
    old = {"stamp": STAMP | {"date": day}, "figures": [row("x", "64x64", 1), row("x", "256x256", 2)]}
    found = measure.merged(old, STAMP, [row("x", "128x128", 3), row("x", "64x64", 4)])
    assert [r["value"] for r in found["figures"]] == [4, 3, 2]


def test_figures_of_another_commit_are_dropped():
    old = {"stamp": STAMP | {"commit": "b"}, "figures": [row("x", "64x64", 1)]}
    assert measure.merged(old, STAMP, [row("x", "128x128", 3)])["figures"] == [row("x", "128x128", 3)]


def test_figures_of_weights_that_have_changed_are_dropped():
    def content(row, sha256):
        return row | {"sha256": sha256}

    old = [content(row("x", "64x64", 1), "a"), content(row("y", "64x64", 2), "b")]
    found = measure.merged({"stamp": STAMP, "figures": old}, STAMP, [content(row("x", "128x128", 3), "c")])
    assert [r["value"] for r in found["figures"]] == [3, 2]


def test_a_plot_is_of_one_number_of_threads():
    peers = [{"weights": "x", "size": "64x64", "threads": 2, "engine": "openvino", "median_s": 1, "peak_bytes": 1e6}]
    own = {"weights": "x", "size": "64x64", "first_ms": 1, "median_ms": 1000, "peak_mb": 1}
    assert plot.lines({"peers": peers, "sizes": [own | {"threads": 2.0}]})[1] == 2
    with pytest.raises(SystemExit, match="1 and of 2 threads"):
        plot.lines({"peers": peers, "sizes": [own | {"threads": 1.0}]})


def test_kernels_that_are_not_products_alone_have_no_share_of_the_peak():
    common = {"shape": "254x48", "density_%": 10.0}
    table = report.kernels([
        {"kernel": "project_in", "rate": 80.2, "unit": "GFLOP/s", "share_%": 68.0} | common,
        {"kernel": "depthwise_gated", "rate": 3.21, "unit": "values/ns", "share_%": "-"} | common | {"shape": 127.0},
    ])  # fmt: skip
    assert "| project_in 254x48 | 80 (68%) |" in table and "| depthwise_gated 127 | 3.2 values/ns |" in table


def test_sections_of_parts_that_were_not_measured_stay(tmp_path):
    page = tmp_path / "speed.md"
    page.write_text("Top.\n<!-- figures -->\n\n## Files\n\nold\n\n## The machine\n\nolder\n\n<!-- /figures -->\nEnd.\n")
    made = {"date": "today", "commit": "a", "cpu": "c", "cpus": 2, "memory_gb": 8, "kernel": "6"}
    results = {"files": {"stamp": made, "figures": [{"file": "x.mirl", "bytes": 1e6}]}}
    report.write(results, tmp_path, None)
    first = page.read_text()
    head, machine, files = first.split("## ")
    assert machine == "The machine\n\nolder\n\n"
    assert "| x.mirl | 1.00 |" in files and "old" not in files and files.endswith("\n<!-- /figures -->\nEnd.\n")
    report.write(results, tmp_path, None)
    assert page.read_text() == first


def test_figures_of_different_commits_are_not_drawn_together(tmp_path, monkeypatch, capsys):
    (tmp_path / "speed.md").write_text("<!-- figures -->\n<!-- /figures -->\n")
    monkeypatch.setattr(report, "merged", lambda page, results: "")
    parts = {"peers": {"stamp": STAMP, "figures": []}, "sizes": {"stamp": STAMP | {"commit": "b"}, "figures": []}}
    report.write(parts, tmp_path, Path("/bin/false"))
    assert "other commits" in capsys.readouterr().err
    parts["sizes"]["stamp"] = STAMP | {"date": "yesterday"}
    report.write(parts, tmp_path, Path("/bin/false"))
    assert "see above" in capsys.readouterr().err


@pytest.mark.parametrize("other", [{"threads": 1}, {"quick": True}])
def test_figures_by_other_options_are_dropped(other):
    asked = {"threads": 2, "quick": False}
    before, now = (measure.stamp(argparse.Namespace(**options)) for options in (asked, asked | other))
    old = {"stamp": before, "figures": [row("x", "64x64", 1)]}
    assert len(measure.merged(old, before, [row("x", "128x128", 3)])["figures"]) == 2
    assert measure.merged(old, now, [row("x", "128x128", 3)])["figures"] == [row("x", "128x128", 3)]


def failing(tmp_path) -> Path:
    """An interpreter for other engines that none is installed in."""
    path = tmp_path / "python"
    path.write_text("#!/bin/sh\nexit 3\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def options(tmp_path, monkeypatch):
    """Of parts that start processes, in a folder of their own, with tables of mirl-bench that need none."""
    made = {"best_ms": 1.0, "first_ms": 1, "median_ms": 2.0, "runs": 3.0, "peak_mb": 4.0}
    monkeypatch.setattr(measure, "WORK", tmp_path)
    monkeypatch.setattr(measure, "bench", lambda *words: [made])
    monkeypatch.setattr(measure, "onnx", lambda *of: tmp_path / "x.onnx")
    (tmp_path / "x.mirl").write_bytes(b"x")
    return argparse.Namespace(
        weights=[tmp_path / "x.mirl"], venv=failing(tmp_path), threads=1, quick=True, sizes="64x64")


def test_engines_that_fail_are_left_out(options):
    assert [r["engine"] for r in measure.peers(options)] == [*measure.OWN]
    assert measure.error(options) == []


def test_an_engine_without_its_graph_is_left_out(options, monkeypatch):
    def onnx(*of):
        raise measure.Missing("no graph")

    monkeypatch.setattr(measure, "onnx", onnx)
    assert measure.run_peer(options, "openvino", Path("x.mirl"), "64x64", Path("out.f32"), []) is None


def test_a_comparison_that_fails_leaves_differences_out(options, monkeypatch):
    def run_peer(options, engine, *rest, **more):
        return {"engine": engine, "version": "1", "median_s": 1.0, "best_s": 1.0, "load_s": 1.0, "peak_bytes": 1}

    monkeypatch.setattr(measure, "run_peer", run_peer)
    rows = measure.peers(options)
    assert [r["engine"] for r in rows] == [*measure.OWN, *measure.PEERS]
    assert not any("psnr_db" in r for r in rows)
    assert measure.error(options) == []


def test_a_process_that_prints_nothing_measured_nothing(options):
    options.venv = Path("/bin/true")
    assert measure.run_peer(options, "pytorch", Path("x.mirl"), "64x64", Path("out.f32"), []) is None


def test_png_is_a_picture():
    with Image.open(io.BytesIO(measure.png(64, 48))) as image:
        assert image.size == (64, 48) and image.mode == "RGB"
        assert image.getpixel((3, 5)) == (12, 20, 128)


def test_processes_are_timed_and_their_failures_told(tmp_path):
    empty = tmp_path / "empty"
    empty.touch()
    held = bytearray(b"x" * 100_000_000)
    seconds, peak = measure.one_process(["cat"], empty)
    assert 0 < seconds < 10 and 100_000 < peak < 30_000_000 < len(held)
    try:
        measure.one_process(["false"], empty)
    except measure.Missing as problem:
        assert "exit 1" in str(problem)
    else:
        raise AssertionError("no error")
