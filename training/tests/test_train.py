"""What training promises: pruning that rewinds exactly, and runs that can stop anywhere."""

import pytest
import torch
from safetensors.torch import load_file

import prune
import train

TINY = ["--preset", "golden", "--workers", "0", "--patches", "4", "--size", "16", "--lr", "1e-3"]


def start(folder, photos, *options):
    return ["--data", str(photos), *TINY, *options, str(folder)]


def train_a_little(run, steps=3):
    rng = torch.Generator().manual_seed(run.round)
    for _ in range(steps):
        clean = torch.rand(2, 3, 16, 16, generator=rng)
        run.train_step(clean + 0.1 * torch.randn(clean.shape, generator=rng), clean, ["denoise", "derain"])


@pytest.mark.parametrize("scope", prune.SCOPES)
def test_survivors_of_imp_are_exactly_at_their_initial_values(tmp_path, photos, scope):
    run = train.Run(train.arguments(start(tmp_path, photos, "--method", "imp", "--scope", scope, "--rate", "0.4")))
    for _ in range(2):
        train_a_little(run)
        trained = run.network.state_dict()
        assert any(not torch.equal(trained[name], value) for name, value in run.initial.items())
        run.end_round()
        for name, value in run.network.state_dict().items():
            expected = run.initial[name] * run.masks[name] if name in run.masks else run.initial[name]
            assert torch.equal(value, expected), name
    assert run.round == 2 and run.step == 0
    if scope == "global":
        assert prune.density(run.masks) == pytest.approx(0.36, abs=1e-4)


def test_naming_tasks_makes_the_mixtures_tell_them_apart(tmp_path, photos):
    asked = start(tmp_path, photos, "--method", "dense", "--name-tasks", "1", "--lr", "1e-2", "--warmup", "0.001")
    run = train.Run(train.arguments(asked))
    dark, bright = torch.zeros(1, 3, 16, 16), torch.ones(1, 3, 16, 16)
    images, tasks = torch.cat([dark, bright]), ["denoise", "dehaze"]
    run.network(images)
    before = run.naming_loss(tasks)
    for _ in range(30):
        run.train_step(images, images, tasks)
    run.network(images)
    assert run.naming_loss(tasks) < before / 4


def test_rewinding_the_learning_rate_keeps_the_trained_survivors(tmp_path, photos):
    run = train.Run(train.arguments(start(tmp_path, photos, "--method", "imp", "--rewind", "lr")))
    train_a_little(run)
    trained = {name: value.clone() for name, value in run.network.state_dict().items()}
    run.end_round()
    for name, value in run.network.state_dict().items():
        assert torch.equal(value, trained[name] * run.masks.get(name, 1)), name


def test_masked_weights_stay_zero_in_training(tmp_path, photos):
    run = train.Run(train.arguments(start(tmp_path, photos, "--method", "imp", "--rate", "0.5")))
    run.end_round()
    train_a_little(run)
    for network in (run.network, run.average):
        for name, weights in prune.prunable(network).items():
            assert not weights[run.masks[name] == 0].any(), name


@pytest.mark.parametrize(
    "method",
    [
        ["--method", "gradual", "--density", "0.3", "--steps", "6", "--large-after", "0.5"],
        ["--method", "imp", "--rounds", "1", "--steps", "3"],
    ],
    ids=["gradual", "imp"],
)
def test_a_run_stopped_after_every_step_equals_an_uninterrupted_one(tmp_path, photos, monkeypatch, method):
    monkeypatch.setattr(train, "PRUNE_EVERY", 2)
    train.main(start(tmp_path / "whole", photos, *method))
    for _ in range(8):
        train.main(start(tmp_path / "parts", photos, *method, "--minutes", "0"))
    whole, parts = (torch.load(tmp_path / name / "state.pt", weights_only=True) for name in ("whole", "parts"))
    assert_same(whole, parts)
    assert_same(*(load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "parts")))


def assert_same(a, b):
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, list):
        assert len(a) == len(b)
        for pair in zip(a, b):
            assert_same(*pair)
    else:
        assert torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


@pytest.mark.parametrize("steps", [4, 7])
def test_gradual_pruning_ends_at_the_asked_density(tmp_path, photos, monkeypatch, steps):
    monkeypatch.setattr(train, "PRUNE_EVERY", 3)
    train.main(start(tmp_path, photos, "--method", "gradual", "--density", "0.2", "--steps", str(steps)))
    weights = {k: w for k, w in load_file(tmp_path / "weights.safetensors").items() if "weight" in k}
    assert prune.density({k: (w != 0).float() for k, w in weights.items()}) == pytest.approx(0.2, abs=1e-3)


def test_a_run_starts_from_given_weights_and_keeps_their_zeros(tmp_path, photos):
    pruned = ["--method", "gradual", "--scope", "layerwise", "--density", "0.3", "--steps", "2"]
    train.main(start(tmp_path / "a", photos, *pruned))
    weights = tmp_path / "a" / "weights.safetensors"
    train.main(start(tmp_path / "b", photos, "--method", "dense", "--steps", "2", "--start", str(weights)))
    before, after = load_file(weights), load_file(tmp_path / "b" / "weights.safetensors")
    assert any(not torch.equal(before[name], after[name]) for name in before)
    assert all(not after[name][before[name] == 0].any() for name in before if "weight" in name)
