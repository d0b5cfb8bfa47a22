"""Lets the tests import the training code, and makes what they compute repeatable."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
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
