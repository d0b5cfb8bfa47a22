"""What growing promises: the wider network restores as the trained one does."""

from dataclasses import replace

import pytest
import torch

from grow import grow, main
from network import Config, Network, build
from restore import load_network
from safetensors.torch import save_file

NARROW = Config(8, (1, 2, 1, 1), 1, expansion=2.0, prompt_channels=(4, 8, 4), prompt_sizes=(6, 4, 3))
WIDE = replace(NARROW, width=24, prompt_channels=(12, 24, 12))


def trained(config: Config) -> Network:
    """Weights that differ from the initial ones everywhere, a third of them pruned."""
    network = build(config, seed=1)
    rng = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, p in network.named_parameters():
            p.add_(0.05 * torch.randn(p.shape, generator=rng))
            if "weight" in name or "prompt_param" in name:
                p.mul_(torch.rand(p.shape, generator=rng) > 1 / 3)
    return network.eval()


def network_of(weights, config: Config) -> Network:
    network = Network(config).eval()
    network.load_state_dict(weights)
    return network


def outputs(*networks: Network) -> list[torch.Tensor]:
    image = torch.rand(2, 3, 24, 32, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        return [network(image) - image for network in networks]


def test_a_network_that_grows_evenly_computes_the_same():
    old = trained(NARROW)
    before, after = outputs(old, network_of(grow(old, WIDE, spread=0), WIDE))
    assert before.std() > 0.05
    torch.testing.assert_close(after, before, atol=1e-5, rtol=0)


def test_every_weight_that_pruning_may_remove_can_be_trained():
    weights = grow(trained(NARROW), WIDE, spread=0.01)
    empty = {name for name, w in weights.items() if w.ndim > 1 and (w == 0).any()}
    assert not empty


def test_copies_part():
    weights = grow(trained(NARROW), WIDE, spread=0.01)["encoder_level2.0.attn.qkv.weight"]
    assert len(weights.unique(dim=0)) == len(weights)


def test_noise_changes_every_copied_weight_by_a_share_of_it():
    name, noise = "encoder_level2.0.attn.qkv.weight", 0.01
    plain, noisy = (grow(trained(NARROW), WIDE, spread=0, noise=n)[name] for n in (0, noise))
    changes = (noisy / plain - 1)[plain != 0]
    assert (noisy[plain == 0] == 0).all() and changes.std() == pytest.approx(noise, rel=0.2)


def test_blocks_and_prompts_that_grow_otherwise_change_little():
    old = trained(NARROW)
    wide = replace(WIDE, blocks=(2, 2, 2, 2), expansion=2.66, prompt_channels=(16, 32, 20), prompt_sizes=(12, 8, 6))
    before, after = outputs(old, network_of(grow(old, wide, spread=0.01), wide))
    assert (after - before).std() < 0.2 * before.std()


def test_a_block_that_pruning_has_emptied_begins_anew():
    old = trained(NARROW)
    with torch.no_grad():
        for parameter in old.latent[0].attn.parameters():
            parameter.zero_()
    name = "latent.0.attn.{}.weight"
    weights, initial = grow(old, WIDE, seed=5), build(WIDE, seed=5).state_dict()
    assert torch.equal(weights[name.format("qkv")], initial[name.format("qkv")])
    torch.testing.assert_close(weights[name.format("project_out")], initial[name.format("project_out")] * 0.1)


@pytest.mark.parametrize("changed, reason", [
    ({"width": 20}, "no multiple"),
    ({"heads": (1, 2, 4, 4)}, "heads differ"),
    ({"refinement": 0}, r"\(1, 2, 1, 1, 1\) blocks do not grow to \(1, 2, 1, 1, 0\)"),
    ({"prompt_channels": (12, 24, 4)}, "12 copies of channels where the new network has 4"),
])
def test_what_is_no_wider_kind_is_refused(changed, reason):
    with pytest.raises(ValueError, match=reason):
        grow(trained(NARROW), replace(WIDE, **changed))


def test_the_program_writes_what_train_begins_with(tmp_path):
    (tmp_path / "wide.json").write_text(WIDE.as_json())
    old = trained(NARROW)
    save_file(old.state_dict(), tmp_path / "old.safetensors", {"config": NARROW.as_json()})
    main([str(tmp_path / "old.safetensors"), str(tmp_path / "new.safetensors"), "--preset", str(tmp_path / "wide.json"),
          "--spread", "0"])
    new, _ = load_network(tmp_path / "new.safetensors")
    before, after = outputs(old, new)
    torch.testing.assert_close(after, before, atol=1e-5, rtol=0)
