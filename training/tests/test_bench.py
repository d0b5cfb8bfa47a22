"""The pages that bench/ makes, with `cat` and the like for mirl-filter."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

BENCH = Path(__file__).parents[2] / "bench"


def run(monkeypatch, name, *arguments):
    spec = importlib.util.spec_from_file_location(name, BENCH / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
    module.main()


@pytest.fixture
def inverter(tmp_path):
    """Stands in for mirl-filter: gives back the negative of the image it is given, as PNG."""
    path = tmp_path / "inverter"
    path.write_text(f"""#!{sys.executable}
import os, sys
from PIL import Image, ImageOps
source = sys.argv[-1] if os.path.isfile(sys.argv[-1]) else sys.stdin.buffer
ImageOps.invert(Image.open(source).convert("RGB")).save(sys.stdout.buffer, "PNG")
""")
    path.chmod(0o755)
    return path


def test_a_contact_sheet_shows_before_and_after_side_by_side(tmp_path, monkeypatch, inverter):
    (tmp_path / "photos").mkdir()
    for name, colour in (("a", (200, 30, 30)), ("b", (20, 220, 60)), ("c", (10, 10, 240))):
        Image.new("RGB", (300, 200), colour).save(tmp_path / "photos" / f"{name}.png")
    out = tmp_path / "sheet.webp"
    run(monkeypatch, "contact_sheet", tmp_path / "photos", out,
        "--filter", inverter, "--width", "600", "--task", "derain")
    sheet = np.asarray(Image.open(out).convert("RGB")).astype(int)
    assert sheet.shape[1] == pytest.approx(600, abs=8) and out.stat().st_size < 400_000
    side = (600 - 8) // 4 - 8
    centres = [8 + side // 2 + i * (side + 8) for i in range(4)]
    y = 8 + 20 + round(side * 200 / 300) // 2
    for x, colour in zip(centres, ((200, 30, 30), (55, 225, 225), (20, 220, 60), (235, 35, 195))):
        assert np.abs(sheet[y, x] - colour).max() < 12


def test_a_contact_sheet_that_cannot_be_small_enough_is_refused(tmp_path, monkeypatch, inverter):
    Image.effect_noise((300, 200), 90).convert("RGB").save(tmp_path / "noise.png")
    with pytest.raises(SystemExit, match="kB even at quality"):
        run(monkeypatch, "contact_sheet", tmp_path, tmp_path / "s.jpg", "--filter", inverter, "--kilobytes", "4")
    assert not (tmp_path / "s.jpg").exists()


def test_the_comparison_has_a_table_for_each_task_with_input_baselines_and_networks(
        tmp_path, photos, monkeypatch, inverter):
    data = tmp_path / "data"
    for folder in ("rain/input", "rain/target"):
        (data / folder).mkdir(parents=True)
        Image.open(photos / "clean/a.png").save(data / folder / "x.png")
    (tmp_path / "one.mirl").write_bytes(b"")
    network = f"pruned={tmp_path / 'one.mirl'}"
    options = ["--network", network, "--filter", inverter, "--out", tmp_path / "q.md", "--kept", tmp_path / "kept"]
    run(monkeypatch, "tables", data, *options)
    text = (tmp_path / "q.md").read_text()
    assert [line for line in text.splitlines() if line.startswith("## ")][:2] == ["## Rain", "## Clean photos"]
    assert "| set | images | input | median 3x3 | guided filter | mirl | pruned |" in text
    assert "| rain | 1 | 60.00 / 1.000 |" in text
    assert "| clean | 1 | " in text
    (kept,) = (tmp_path / "kept").glob("*median*")
    kept.write_text(kept.read_text().replace("rain,1,60.00", "rain,1,77.77"))  # slow figures are not measured again
    run(monkeypatch, "tables", data, *options)
    assert "| rain | 1 | 77.77 / 1.000 |" in (tmp_path / "q.md").read_text()
    Image.open(photos / "clean/b.png").save(data / "rain/input/x.png")  # but those of other images are
    run(monkeypatch, "tables", data, *options)
    assert "| rain | 1 | 77.77 / 1.000 |" not in (tmp_path / "q.md").read_text()
    assert "`one.mirl` (SHA-256 e3b0c44298fc), 0.00 MB" in text


def test_the_results_have_a_column_for_auto_and_go_where_the_page_has_room(tmp_path, photos, monkeypatch, inverter):
    data, page = tmp_path / "data", tmp_path / "page.md"
    for folder in ("denoise", "rain/input", "rain/target"):
        (data / folder).mkdir(parents=True)
        Image.open(photos / "clean/a.png").save(data / folder / "x.png")
    Image.new("RGB", (481, 321)).save(tmp_path / "photo.jpg")
    page.write_text("before\n<!-- results -->\nold\n<!-- /results -->\nafter\n")
    run(monkeypatch, "quality", data, "--filter", inverter, "--photo", tmp_path / "photo.jpg", "--readme", page)
    text = page.read_text()
    assert text.startswith("before\n<!-- results -->\n") and text.endswith("<!-- /results -->\nafter\n")
    assert "old" not in text
    cells = {line[1]: line[2:-1] for line in ([c.strip() for c in line.split("|")] for line in text.splitlines())
             if len(line) == 10}
    assert cells["set"][4] == "gain, `auto`"
    assert cells["rain"][0] == "1" and cells["rain"][3] == cells["rain"][4] == ""  # it was perfect before
    assert cells["noise 15"][3] == cells["noise 15"][4] != ""
    assert cells["clean"][4] == ""
