"""The arithmetic of masks, against cases worked out by hand."""

import pytest
import torch

import prune

A, B = "a.weight", prune.OUTPUT


def tensors():
    return {
        A: torch.tensor([[0.5, -0.1], [0.9, -0.7]]),
        B: torch.tensor([0.2, -0.3, 0.05, 0.6, -0.8, 0.4]),
    }


def kept(masks):
    return {name: mask.flatten().int().tolist() for name, mask in masks.items()}


def test_global_removes_the_smallest_of_all_tensors():
    masks = prune.prune_global(tensors(), prune.full(tensors()), 0.4)  # 4 of 10: 0.05, 0.1, 0.2, 0.3
    assert kept(masks) == {A: [1, 0, 1, 1], B: [0, 0, 0, 1, 1, 1]}
    assert masks[A].shape == (2, 2)


def test_scaled_measures_magnitudes_by_the_inputs_of_an_output():
    weights = {"wide.weight": torch.tensor([[0.3, 0.1, 0.1, 0.1]]), "narrow.weight": torch.tensor([[0.5], [0.4]])}
    masks = prune.prune_scaled(weights, prune.full(weights), 0.5)  # 0.6, 0.2, 0.2, 0.2 and 0.5, 0.4
    assert kept(masks) == {"wide.weight": [1, 0, 0, 0], "narrow.weight": [1, 1]}


def test_layerwise_removes_a_share_of_each_tensor_and_half_of_it_from_the_output():
    masks = prune.prune_layerwise(tensors(), prune.full(tensors()), 0.5)
    # of A 2 of 4; of the output 1.5 of 6, rounded to 2
    assert kept(masks) == {A: [0, 0, 1, 1], B: [0, 1, 0, 1, 1, 1]}


@pytest.mark.parametrize("scope", prune.SCOPES)
def test_what_is_pruned_once_stays_pruned(scope):
    weights, masks = tensors(), prune.full(tensors())
    for _ in range(4):
        before = masks
        masks = prune.SCOPES[scope](weights, masks, 0.3)
        weights = {name: torch.randn(w.shape) for name, w in weights.items()}
        assert all((masks[name] <= before[name]).all() for name in masks)


def test_the_rate_counts_survivors_only():
    weights = {A: torch.arange(1.0, 101.0)}
    masks = prune.full(weights)
    for left in (80, 64, 51):
        masks = prune.prune_global(weights, masks, 0.2)
        assert int(masks[A].sum()) == left
    assert prune.density(masks) == 0.51


def test_equal_weights_are_pruned_to_the_asked_count():
    weights = {A: torch.ones(10)}
    assert kept(prune.prune_global(weights, prune.full(weights), 0.3))[A] == [0] * 3 + [1] * 7


def test_gradual_density_falls_from_one_to_the_final_and_stays():
    densities = [prune.gradual_density(i / 100, 0.14) for i in range(101)]
    assert densities[0] == densities[10] == 1
    assert densities[65] == densities[100] == pytest.approx(0.14)
    assert all(b <= a for a, b in zip(densities, densities[1:]))
    assert prune.gradual_density(0.375, 0.2) == pytest.approx(0.2 + 0.8 / 8)  # halfway between begin and end
