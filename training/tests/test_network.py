"""The network at odd sizes, steered, and against the committed golden set."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from network import PRESETS, Config, build
from restore import load_network, pad, restore

GOLDEN = Path(__file__).parents[2] / "Tests" / "MirlTests" / "Golden"

ODD = [
    Config(8, (1, 1, 1, 1), 1, (1, 2, 4, 8), 4, 2.66, (8, 8, 16), (8, 4, 4)),
    Config(6, (1, 2, 0, 1), 2, (3, 2, 1, 6), 1, 1.5, (1, 3, 5), (1, 2, 7), 3),
    Config(10, (0, 0, 0, 0), 0, (1, 1, 1, 1), 2, 0.37, (2, 4, 6), (5, 5, 5), 1),
]


@pytest.mark.parametrize("config", ODD, ids=lambda config: f"width {config.width}")
@pytest.mark.parametrize("size", [(8, 8), (8, 40), (24, 16)])
def test_any_preset_gives_back_the_shape_it_got(config, size):
    network = build(config, 0)
    restored = network(torch.rand(2, 3, *size))
    assert restored.shape == (2, 3, *size) and restored.isfinite().all()
    assert network.mixtures().shape == (3, 2, config.prompt_components)
    restored.sum().backward()
    assert all(p.grad is not None for p in network.parameters())


@pytest.mark.parametrize("name", sorted(p.stem for p in PRESETS.glob("*.json")))
def test_presets_survive_json_and_have_heads_that_divide(name):
    config = Config.load(name)
    assert Config.from_json(config.as_json()) == config
    for level, heads in enumerate(config.heads):
        assert (config.width << level) % heads == 0
    for level, channels in enumerate(config.prompt_channels, 1):
        assert ((config.width << max(level, 1)) + channels) % config.prompt_heads == 0


def test_the_full_preset_is_the_paper_s():
    assert Config.load("full") == Config()
    with torch.device("meta"):
        parameters = sum(p.numel() for p in build(Config(), 0).parameters())
    assert parameters == 35_592_263 - 215_296  # less what published files hold and never use


def test_a_seed_reproduces_the_initial_weights():
    a, b = (build(Config.load("golden"), 3).state_dict() for _ in range(2))
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_the_golden_set_is_what_the_network_computes():
    network, mixtures = load_network(GOLDEN / "weights.safetensors")
    golden = load_file(GOLDEN / "golden.safetensors")
    for name in (name for name in golden if name.startswith("x_")):
        restored = restore(network, golden[name][None])[0]
        assert torch.allclose(restored, golden["y" + name[1:]], atol=5e-5)  # fp32 against fp64
    network.steer(mixtures["derain"])
    steered = restore(network, golden["x_16x24"][None])[0]
    assert torch.allclose(steered, golden["y_derain_16x24"], atol=5e-5)


def test_steering_to_the_network_s_own_mixture_changes_nothing():
    network = build(Config.load("golden"), 0).eval()
    image = torch.rand(1, 3, 16, 16)
    free = restore(network, image)
    own = network.mixtures()[:, 0]
    network.steer(own)
    assert torch.equal(restore(network, image), free)
    network.steer(own.roll(1, dims=1))
    assert not torch.equal(restore(network, image), free)
    network.steer(None)
    assert torch.equal(restore(network, image), free)


def test_padding_reflects_where_it_can_and_else_repeats_the_edge():
    image = torch.arange(1.0, 7.0).expand(1, 3, 6, 6).contiguous()
    assert pad(image)[0, 0, 0].tolist() == [1, 2, 3, 4, 5, 6, 5, 4]
    narrow = torch.tensor([1.0, 2.0, 3.0]).expand(1, 3, 16, 3).contiguous()
    assert pad(narrow).shape == (1, 3, 16, 8)
    assert pad(narrow)[0, 0, 0].tolist() == [1, 2, 3, 3, 3, 3, 3, 3]


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (8, 8), (1, 50), (17, 3)])
def test_any_size_comes_back(size):
    network = build(Config.load("golden"), 0).eval()
    assert restore(network, torch.rand(1, 3, *size)).shape == (1, 3, *size)
