"""A trained and exported network restores through mirl as it does in PyTorch."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

import evaluate
import export
import train
from data import TASKS
from restore import load_network, restore


@pytest.fixture(scope="module")
def exported(photos, tmp_path_factory):
    """A tiny network, trained and pruned a little so that it changes images moderately, exported."""
    folder = tmp_path_factory.mktemp("run")
    options = [
        "--preset", "golden", "--workers", "0", "--patches", "4", "--size", "16", "--steps", "120", "--lr", "3e-3"]
    train.main([str(folder), "--data", str(photos), "--method", "gradual", "--density", "0.3", *options])
    out = folder / "out.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        arguments = [str(folder), str(out), "--data", str(photos), "--trained-on", "noise.", "--patches", "8"]
        patch.setattr(sys, "argv", ["export.py", *arguments])
        export.main()
    return out


@pytest.fixture(scope="module")
def packed(exported, tools):
    out = exported.with_suffix(".mirl")
    subprocess.run([tools / "mirl-weights", "pack", exported, out], check=True)
    return out


def picture(height, width):
    """Smooth colours with edges, uint8 (height, width, 3)."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 7 + c) * np.cos(y / (5 + c)) + 0.4 * ((x // 9 + y // 7) % 2) for c in range(3)]
    return np.uint8(np.clip(110 + 70 * np.stack(waves, -1), 0, 255))


def ppm16(pixels):
    height, width, _ = pixels.shape
    return b"P6\n%d %d\n65535\n" % (width, height) + np.round(pixels * 65535).astype(">u2").tobytes()


@pytest.mark.parametrize("task", ["auto", *TASKS])
@pytest.mark.parametrize("size", [(48, 64), (37, 51)])
def test_mirl_filter_restores_as_pytorch_does(exported, packed, tools, size, task):
    image = (picture(*size) / 255).astype(np.float32)
    network, mixtures = load_network(exported)
    if task != "auto":
        network.steer(mixtures[task])
    expected = restore(network, torch.from_numpy(image).permute(2, 0, 1)[None])[0].clamp(0, 1).permute(1, 2, 0).numpy()
    command = [tools / "mirl-filter", "-q", "--task", task, "--weights", packed, "--format", "ppm"]
    done = subprocess.run(command, input=ppm16(image), capture_output=True, check=True)
    restored = np.frombuffer(done.stdout, ">u2", offset=len(done.stdout) - 2 * image.size).reshape(image.shape) / 65535
    assert np.abs(expected - image).mean() > 2e-3 and ((expected > 0) & (expected < 1)).mean() > 0.9  # it tells much
    assert np.abs(restored - expected).max() < 2e-4  # fp32 sums in another order, and 16 bits


def test_evaluation_agrees_between_pytorch_and_mirl_filter(exported, packed, tools, tmp_path):
    """Within 0.02 dB and 0.001 of SSIM, once PyTorch's results are rounded to 8 bits as a command's are."""
    for folder in ("denoise", "rain/input", "rain/target"):
        (tmp_path / folder).mkdir(parents=True)
    clean = picture(50, 70)
    rainy = np.uint8(np.clip(clean + 60.0 * (np.indices(clean.shape).sum(0) % 11 == 0), 0, 255))
    for path, pixels in (("denoise/a", clean), ("rain/input/a_rainy", rainy), ("rain/target/a_gt", clean)):
        Image.fromarray(pixels).save(tmp_path / f"{path}.png")
    command = f"{tools / 'mirl-filter'} -q --weights {packed} --task {{task}}"
    (by_pytorch, _), (by_mirl, _) = (
        evaluate.measure(evaluate.arguments([str(tmp_path), *restorer]))
        for restorer in (["--weights", str(exported), "--steer", "--round"], ["--command", command])
    )
    assert {"noise 15", "noise 25", "noise 50", "rain", "clean"} <= {row.set for row in by_pytorch}
    for one, other in zip(by_pytorch, by_mirl, strict=True):
        assert one.psnr_out == pytest.approx(other.psnr_out, abs=0.02), one.set
        assert one.ssim_out == pytest.approx(other.ssim_out, abs=0.001), one.set
        assert (one.psnr_in, one.ssim_in) == (other.psnr_in, other.ssim_in), one.set
