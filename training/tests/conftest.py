"""Lets the tests import the programs of training/ and bench/, and makes what they compute repeatable."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "training"), str(ROOT / "bench")]
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def photos(tmp_path_factory) -> Path:
    """A training folder with three small random photos of each kind."""
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for folder, channels in (("clean", 3), ("haze/target", 3), ("haze/depth", 1)):
        (root / folder).mkdir(parents=True)
        for name in "abc":
            pixels = rng.integers(0, 256, (40, 48, channels), dtype=np.uint8).squeeze()
            Image.fromarray(pixels).save(root / folder / f"{name}.png")
    return root


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder with mirl-filter and mirl-weights: MIRL_BIN, where they must be, or where `make` leaves them."""
    named = os.environ.get("MIRL_BIN")
    folder = Path(named or ROOT / ".build/release")
    if missing := [name for name in ("mirl-filter", "mirl-weights") if not (folder / name).exists()]:
        reason = f"{folder}: no {' and no '.join(missing)}; run make, or name their folder in MIRL_BIN"
        pytest.fail(reason) if named else pytest.skip(reason)
    return folder
