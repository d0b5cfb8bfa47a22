"""The figures of evaluation, and what export adds for steering."""

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import evaluate
import export
import train
from data import CLEAN, TASKS
from restore import load_network


def test_psnr_and_ssim_of_known_images():
    clean = np.full((16, 16, 3), 0.5, np.float32)
    assert evaluate.psnr(clean + np.float32(0.1), clean) == pytest.approx(20, abs=1e-4)
    assert evaluate.psnr(clean, clean) == evaluate.psnr(clean + np.float32(1e-6), clean) == 60
    assert evaluate.psnr(clean + np.float32(1e-5), clean, most=np.inf) == pytest.approx(100, abs=0.1)
    assert evaluate.ssim(clean, clean) == 1


def test_one_image_that_comes_back_unchanged_leaves_a_mean(photos, tmp_path, monkeypatch):
    (tmp_path / "denoise").symlink_to(photos / "clean")
    options = evaluate.arguments([str(tmp_path), "--tasks", "auto", "--command", "unused"])
    dark = [lambda case: case.clean / np.float32(255), lambda case: case.clean / np.float32(510)]
    monkeypatch.setattr(evaluate, "restorer", lambda options: lambda case: dark[case.name > "a.png"](case))
    mean, worst = evaluate.measure(options)[0]
    assert worst.psnr_out < mean.psnr_out < 60


def test_crops_are_central_and_multiples_of_16():
    image = np.arange(37 * 50 * 3).reshape(37, 50, 3)
    assert np.array_equal(evaluate.central(image, None), image[2:34, 1:49])
    assert evaluate.central(image, 20).shape == (16, 16, 3)


@pytest.mark.parametrize(
    "name, target",
    [
        ("s01_rainy", "s01_gt"), ("in1_10_hazy", "in1_10_gt"), ("7", "7"), ("0001_0.8_0.2", "0001"),
        ("rain-001", "norain-001"),
    ],  # fmt: skip
)
def test_pairs_match_by_name(tmp_path, name, target):
    for folder, stem in (("input", name), ("target", target), ("target", "other_gt")):
        (tmp_path / "rain" / folder).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((16, 16, 3), len(stem), np.uint8)).save(tmp_path / "rain" / folder / f"{stem}.png")
    (case,) = evaluate.pair_cases(tmp_path / "rain", None, None)
    assert (case.degraded == len(name)).all() and (case.clean == len(target)).all()


@pytest.mark.parametrize("others, found", [(["7_b"], "7"), (["7_a", "7_b"], "7"), (["07"], "7")])
def test_a_target_of_the_same_name_comes_first(tmp_path, others, found):
    for stem in (found, *others):
        Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(tmp_path / f"{stem}.png")
    assert evaluate.find_target(Path("7.png"), evaluate.targets_by_name(tmp_path)).stem == found


def test_a_target_is_never_guessed(tmp_path):
    for stem in ("7_a", "7_b"):
        Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(tmp_path / f"{stem}.png")
    with pytest.raises(SystemExit, match="7_a.png or 7_b.png"):
        evaluate.find_target(Path("7.png"), evaluate.targets_by_name(tmp_path))


def test_a_command_that_writes_no_image_is_named(photos, tmp_path, monkeypatch):
    (tmp_path / "denoise").symlink_to(photos / "clean")
    monkeypatch.setattr(sys, "argv", ["evaluate.py", str(tmp_path), "--command", "true", "--tasks", "denoise"])
    with pytest.raises(SystemExit, match="true: wrote no image"):
        evaluate.main()


def test_a_photo_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "denoise").mkdir()
    (tmp_path / "denoise/broken.png").write_bytes(b"no image")
    monkeypatch.setattr(sys, "argv", ["evaluate.py", str(tmp_path), "--command", "cat", "--tasks", "denoise"])
    with pytest.raises(SystemExit, match="broken.png"):
        evaluate.main()


def test_a_command_that_copies_gains_nothing(photos, tmp_path, monkeypatch):
    (tmp_path / "denoise").symlink_to(photos / "clean")
    table = tmp_path / "table.csv"
    words = ["evaluate.py", str(tmp_path), "--command", "cat", "--csv", str(table), "--tasks", "denoise"]
    monkeypatch.setattr(sys, "argv", words)
    evaluate.main()
    rows = list(csv.DictReader(table.open()))
    assert [row["set"] for row in rows] == ["noise 15", "noise 25", "noise 50", "noise 25 grey", "noise 25 420"]
    assert all(row["images"] == "3" and row["gain"] == "+0.00" for row in rows)


def test_an_exported_file_holds_the_run_s_weights_and_a_mixture_for_each_kind(photos, tmp_path, monkeypatch):
    run, out = tmp_path / "run", tmp_path / "out.safetensors"
    options = ["--preset", "golden", "--workers", "0", "--patches", "2", "--size", "16", "--steps", "2"]
    train.main([str(run), "--data", str(photos), *options])
    arguments = [str(run), str(out), "--data", str(photos), "--trained-on", "noise.", "--patches", "3"]
    monkeypatch.setattr(sys, "argv", ["export.py", *arguments])
    export.main()
    (before, _), (after, mixtures) = load_network(run / "weights.safetensors"), load_network(out)
    assert all(torch.equal(a, b) for a, b in zip(before.state_dict().values(), after.state_dict().values()))
    assert set(mixtures) == {*TASKS, CLEAN}
    assert all(rows.shape == (3, 5) and torch.allclose(rows.sum(1), torch.ones(3)) for rows in mixtures.values())
    assert export.progress(run) == (0, 2)


def test_a_run_without_haze_is_exported_without_photos_for_haze(photos, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "clean").symlink_to(photos / "clean")
    run, out = tmp_path / "run", tmp_path / "out.safetensors"
    options = ["--preset", "golden", "--workers", "0", "--patches", "1", "--size", "16", "--steps", "1"]
    train.main([str(run), "--data", str(tmp_path / "data"), "--tasks", "derain", *options])
    arguments = [str(run), str(out), "--trained-on", "noise.", "--patches", "1", "--data"]
    monkeypatch.setattr(sys, "argv", ["export.py", *arguments, str(tmp_path / "data")])
    export.main()
    assert set(load_network(out)[1]) == {"denoise", "derain", CLEAN}
    monkeypatch.setattr(sys, "argv", ["export.py", *arguments, str(tmp_path / "none")])
    with pytest.raises(SystemExit, match="none"):
        export.main()


def test_the_worst_clean_photo_is_one_photo(photos, tmp_path, monkeypatch):
    (tmp_path / "denoise").symlink_to(photos / "clean")
    options = evaluate.arguments([str(tmp_path), "--tasks", "auto", "--command", "unused"])
    found = {"a.png": (60, 40, 1, 0.9), "b.png": (60, 50, 1, 0.8), "c.png": (60, 45, 1, 1)}
    monkeypatch.setattr(evaluate, "restorer", lambda options: None)
    monkeypatch.setattr(evaluate, "figures", lambda case, restorer: found[case.name])
    _, worst = evaluate.measure(options)[0]
    assert worst.psnr_out == 40 and worst.ssim_out == 0.9


def test_clean_photos_are_compared_with_themselves_in_auto(photos, tmp_path):
    (tmp_path / "denoise").symlink_to(photos / "clean")
    (tmp_path / "rain").mkdir()
    (tmp_path / "rain" / "target").symlink_to(photos / "clean")  # the same again, to be counted once
    asked = []
    options = evaluate.arguments([str(tmp_path), "--command", "unused", "--tasks", "auto"])
    for case in evaluate.cases(options):
        asked.append(case.task)
        assert np.array_equal(case.degraded, case.clean)
    assert asked == ["auto"] * 3
    copied, darker = (
        evaluate.measure(evaluate.arguments([str(tmp_path), "--tasks", "auto", "--command", command]))[0]
        for command in ("cat", f"{sys.executable} -c '{DARKEN}'")
    )
    assert [row.cells() for row in copied] == [
        ("clean", "3", "60.00", "60.00", "", "1.0000", "1.0000"),
        ("clean, the worst", "1", "60.00", "60.00", "", "1.0000", "1.0000"),
    ]
    assert darker[0].psnr_out > darker[1].psnr_out > 10


DARKEN = """
import sys
from PIL import Image
Image.open(sys.stdin.buffer).point(lambda v: v - (v > 99)).save(sys.stdout.buffer, "PNG")
"""
