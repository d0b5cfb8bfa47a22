"""The arithmetic of masks, against cases worked out by hand."""

import pytest
import torch

import prune
from network import Config, Network

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


def test_by_cost_a_weight_must_be_worth_its_multiply_adds():
    weights = {"high.weight": torch.tensor([0.6, 0.3]), "low.weight": torch.tensor([0.4, 0.2])}
    costs = {"high.weight": 1, "low.weight": 0.25}  # |w| / sqrt(cost): 0.6, 0.3 and 0.8, 0.4
    masks = prune.remove(weights, prune.full(weights), 0.25, "global")
    assert kept(masks) == {"high.weight": [1, 1], "low.weight": [1, 0]}
    masks = prune.remove(weights, prune.full(weights), 0.25, "global", costs)
    assert kept(masks) == {"high.weight": [1, 0], "low.weight": [1, 1]}
    masks = prune.remove(weights, masks, 2 / 3, "global", costs)
    assert kept(masks) == {"high.weight": [0, 0], "low.weight": [1, 0]}


def test_every_tensor_keeps_the_least_share():
    weights = {"small.weight": torch.tensor([0.1, -0.3, 0.2, 0.0]), "large.weight": torch.tensor([1.0, 2.0, 3.0, 4.0])}
    assert kept(prune.remove(weights, prune.full(weights), 0.5, "global"))["small.weight"] == [0, 0, 0, 0]
    masks = prune.remove(weights, prune.full(weights), 0.5, "global", least=0.3)  # 1.2 of 4, rounded up
    assert kept(masks) == {"small.weight": [0, 1, 1, 0], "large.weight": [0, 0, 1, 1]}
    masks = prune.remove(weights, masks, 1, "global", least=0.3)
    assert kept(masks) == {"small.weight": [0, 1, 1, 0], "large.weight": [0, 0, 1, 1]}


def test_weights_are_used_as_often_as_their_level_has_pixels():
    config = Config.load("golden")
    uses = prune.uses(config)
    assert uses.keys() == prune.prunable(Network(config)).keys()
    for part, expected in (
        ("encoder_level1.0.norm1.body", 1), ("refinement.0.attn.qkv", 1), ("output", 1),
        ("down1_2.body.0", 1), ("up2_1.body.0", 1 / 4), ("noise_level1.ffn.dwconv", 1 / 4), ("prompt1.conv3x3", 1 / 4),
        ("decoder_level3.0.ffn.project_out", 1 / 16), ("latent.0.norm2.body", 1 / 64),
        ("prompt3.linear_layer", 1 / 64**2),
    ):  # fmt: skip
        assert uses[f"{part}.weight"] == expected, part


def test_prompts_are_pruned_each_by_itself_and_only_if_asked():
    network = Network(Config.load("golden"))
    assert not any(prune.PROMPT in name for name in prune.prunable(network))
    weights = prune.prunable(network, prompts=True)
    masks = prune.remove(weights, prune.full(weights), 0.25, "global")
    prompts = {name: mask for name, mask in masks.items() if prune.PROMPT in name}
    assert len(prompts) == 3 and masks.keys() == weights.keys()
    for name, mask in prompts.items():
        values = weights[name].abs()
        assert prune.density({name: mask}) == pytest.approx(0.75, abs=0.01)
        assert values[mask == 0].max() <= values[mask == 1].min()


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


@pytest.mark.parametrize("rate", [0, -0.1])
def test_no_rate_removes_nothing(rate):
    weights = {A: torch.arange(1.0, 11.0)}
    assert kept(prune.prune_global(weights, prune.full(weights), rate))[A] == [1] * 10


def test_equal_weights_are_pruned_to_the_asked_count():
    weights = {A: torch.ones(10)}
    assert kept(prune.prune_global(weights, prune.full(weights), 0.3))[A] == [0] * 3 + [1] * 7


def test_gradual_density_falls_from_one_to_the_final_and_stays():
    densities = [prune.gradual_density(i / 100, 0.14) for i in range(101)]
    assert densities[0] == densities[10] == 1
    assert densities[65] == densities[100] == pytest.approx(0.14)
    assert all(b <= a for a, b in zip(densities, densities[1:]))
    assert prune.gradual_density(0.375, 0.2) == pytest.approx(0.2 + 0.8 / 8)  # halfway between begin and end


def test_gradual_density_falls_from_where_a_run_began():
    assert prune.gradual_density(0, 0.2, 0.6) == 0.6
    assert prune.gradual_density(0.375, 0.2, 0.6) == pytest.approx(0.2 + 0.4 / 8)
    assert prune.gradual_density(1, 0.2, 0.6) == pytest.approx(0.2)


def test_tensors_are_cut_to_a_share_each_and_never_grow():
    masks = {A: torch.tensor([[1.0, 1.0], [0.0, 1.0]]), B: torch.ones(6)}
    cut = prune.cut_to(tensors(), masks, {A: 0.25, B: 0.5})
    assert kept(cut) == {A: [0, 0, 0, 1], B: [0, 0, 0, 1, 1, 1]}
    assert kept(prune.cut_to(tensors(), cut, {A: 0.5, B: 1})) == kept(cut)
    assert kept(prune.cut_to(tensors(), cut, {A: 0, B: 0})) == {A: [0] * 4, B: [0] * 6}


def test_the_first_pattern_found_in_a_name_says_what_share_of_a_tensor_stays():
    names = ["encoder_level1.0.attn.qkv_dwconv.weight", "encoder_level1.0.attn.qkv.weight", "output.weight"]
    assert prune.shares(names, {"dwconv": 0.6, "level[12].*qkv": 0.3}) == dict(zip(names, (0.6, 0.3, 1)))


@pytest.mark.parametrize(
    "asked, problem",
    [({"dwcnov": 0.5}, "'dwcnov' is found in the name of no"), ({"(": 0.5}, "no regular"), ({"out": 1.5}, "1.5 is no share")],
)
def test_shares_that_no_tensor_can_have_are_refused(asked, problem):
    with pytest.raises(ValueError) as error:
        prune.shares(["output.weight"], asked)
    assert problem in str(error.value)
