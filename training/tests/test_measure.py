"""The report keeps what still holds, and the files made here are what they should be."""

import io

from PIL import Image

import measure

STAMP = {"commit": "a"}


def row(weights: str, size: str, value: int) -> dict:
    return {"weights": weights, "size": size, "value": value}


def test_figures_of_other_sizes_are_kept_in_order():
    old = {"stamp": STAMP, "figures": [row("x", "64x64", 1), row("x", "256x256", 2)]}
    found = measure.merged(old, STAMP, [row("x", "128x128", 3), row("x", "64x64", 4)])
    assert [r["value"] for r in found["figures"]] == [4, 3, 2]


def test_figures_of_another_commit_are_dropped():
    old = {"stamp": {"commit": "b"}, "figures": [row("x", "64x64", 1)]}
    assert measure.merged(old, STAMP, [row("x", "128x128", 3)])["figures"] == [row("x", "128x128", 3)]


def test_png_is_a_picture():
    with Image.open(io.BytesIO(measure.png(64, 48))) as image:
        assert image.size == (64, 48) and image.mode == "RGB"
        assert image.getpixel((3, 5)) == (12, 20, 128)


def test_processes_are_timed_and_their_failures_told(tmp_path):
    empty = tmp_path / "empty"
    empty.touch()
    seconds, peak = measure.one_process(["cat"], empty)
    assert 0 < seconds < 10 and peak > 100_000
    try:
        measure.one_process(["false"], empty)
    except measure.Missing as problem:
        assert "exit 1" in str(problem)
    else:
        raise AssertionError("no error")
