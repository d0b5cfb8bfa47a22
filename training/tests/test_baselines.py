"""The classical methods on small images whose answer is known."""

import sys

import numpy as np
import pytest

import baselines
import evaluate
from data import add_haze, add_noise

RNG_SEED = 0


def scene(height=60, width=80):
    """Coloured tiles, float32 0..1, in each patch of which some channel is nearly black."""
    rng = np.random.default_rng(RNG_SEED)
    tiles = rng.uniform(0.2, 0.9, (height // 10, width // 10, 3))
    tiles[np.indices(tiles.shape[:2]).sum(0) % 2 == 0, 0] = 0.01
    return tiles.repeat(10, 0).repeat(10, 1).astype(np.float32)


@pytest.mark.parametrize("name", [n for n, m in baselines.METHODS.items() if m.task == "denoise"])
def test_noise_filters_remove_noise(name):
    if name == "bm3d":
        pytest.importorskip("bm3d")
    clean = scene()
    noisy = add_noise(np.random.default_rng(1), clean, 25)
    restored = baselines.METHODS[name](noisy, 25 / 255)
    assert restored.shape == clean.shape and restored.dtype == np.float32
    assert evaluate.psnr(restored, clean) > evaluate.psnr(noisy, clean) + 5


@pytest.mark.parametrize("name", [n for n, m in baselines.METHODS.items() if m.task == "denoise"])
def test_noise_filters_take_grey(name):
    if name == "bm3d":
        pytest.importorskip("bm3d")
    clean = scene()[..., :1].repeat(3, 2)
    noise = np.random.default_rng(1).standard_normal((*clean.shape[:2], 1), dtype=np.float32)
    noisy = (clean + 25 / 255 * noise).clip(0, 1).astype(np.float32)
    restored = baselines.METHODS[name](noisy, 25 / 255)
    assert np.ptp(restored, axis=2).max() < 1e-5
    assert evaluate.psnr(restored, clean) > evaluate.psnr(noisy, clean) + 3


def test_what_is_no_number_has_no_psnr():
    assert np.isnan(evaluate.psnr(np.full((4, 4, 3), np.nan), np.zeros((4, 4, 3))))


@pytest.mark.parametrize("name", [n for n, m in baselines.METHODS.items() if m.task == "derain"])
def test_rain_filters_remove_thin_streaks(name):
    clean = np.full((40, 40, 3), 0.4, np.float32)
    rainy = clean.copy()
    rainy[:, ::8] += 0.1
    restored = baselines.METHODS[name](rainy, 0)
    assert evaluate.psnr(restored, clean) > evaluate.psnr(rainy, clean) + 3


def test_the_dark_channel_prior_undoes_even_haze():
    clean = scene()
    rng = np.random.default_rng(2)
    clean[:16, :16] = 1  # sky: where the light's colour shows
    depth = np.full(clean.shape[:2], 0.5, np.float32)
    depth[:16, :16] = 30
    hazy = add_haze(rng, clean, depth)
    restored = baselines.METHODS["dark-channel"](hazy, 0)
    below = np.s_[24:]
    assert evaluate.psnr(restored[below], clean[below]) > evaluate.psnr(hazy[below], clean[below]) + 5


def test_the_guided_filter_is_exact_where_the_image_is_linear_in_the_guide():
    guide = np.random.default_rng(3).random((30, 40))
    filtered = baselines.guided_filter(0.3 * guide + 0.2, guide, radius=3, eps=0)
    assert np.allclose(filtered, 0.3 * guide + 0.2)
    flat = baselines.guided_filter(guide, np.full_like(guide, 0.5), radius=1, eps=0.1)  # a flat guide: means of means
    means = [guide[9 + i : 12 + i, 9 + j : 12 + j].mean() for i in (-1, 0, 1) for j in (-1, 0, 1)]
    assert flat[10, 10] == pytest.approx(np.mean(means))


def test_the_dark_channel_is_the_minimum_around_a_pixel():
    image = np.full((20, 20, 3), 0.8)
    image[10, 10, 1] = 0.1
    dark = baselines.dark_channel(image, size=5)
    assert (dark == 0.1).sum() == 25 and dark[8, 8] == dark[12, 12] == 0.1 and dark[7, 10] == 0.8


def test_a_baseline_is_measured_on_its_task_only(photos, tmp_path, monkeypatch, capsys):
    (tmp_path / "denoise").symlink_to(photos / "clean")
    monkeypatch.setattr(sys, "argv", ["evaluate.py", str(tmp_path), "--baseline", "nlm"])
    evaluate.main()
    lines = capsys.readouterr().out.splitlines()[1:]
    sets = ["noise 15", "noise 25", "noise 50", "noise 25 grey", "noise 25 420"]
    assert [line.split("  ")[0] for line in lines] == sets
