"""Magnitude pruning: which weights stay, as masks of 0 and 1.

MIR-L (arXiv 2510.14463, section 3) prunes every tensor whose name contains `weight`: convolutions,
linear layers and LayerNorm weights; never prompts, temperatures or biases. Beyond the paper, prompts can be pruned
too, and magnitudes weighed by what a weight costs. A weight that is masked once stays masked.
"""

import math
import re
from collections.abc import Collection

import torch

from network import Config, FeedForward, Network

PROMPT = ".prompt_param"
OUTPUT = "output.weight"  # pruned at half rate by `layerwise`: the image is made of little else

Tensors = dict[str, torch.Tensor]


def prunable(network, prompts: bool = False) -> Tensors:
    """The weights that pruning may remove, by name, and if asked for the prompts' components."""
    return {n: p.data for n, p in network.named_parameters() if "weight" in n or prompts and n.endswith(PROMPT)}


def full(weights: Tensors) -> Tensors:
    return {name: torch.ones_like(w) for name, w in weights.items()}


def density(masks: Tensors) -> float:
    """The share of prunable weights that is left."""
    return sum(int(m.count_nonzero()) for m in masks.values()) / sum(m.numel() for m in masks.values())


def apply(masks: Tensors, tensors: Tensors) -> None:
    """Sets the masked values of `tensors` to zero, in place."""
    if tensors:
        torch._foreach_mul_(list(tensors.values()), [masks[name] for name in tensors])


def smallest_removed(weights: torch.Tensor, mask: torch.Tensor, rate: float) -> torch.Tensor:
    """The mask without the `rate` of its survivors that are smallest in magnitude; infinite ones stay."""
    survivors = mask.bool()
    count = min(round(rate * int(survivors.sum())), int((survivors & weights.isfinite()).sum()))
    if count <= 0:
        return mask.clone()
    order = weights.abs().masked_fill(~survivors, torch.inf).flatten().argsort(stable=True)
    pruned = mask.flatten().clone()
    pruned[order[:count]] = 0
    return pruned.view_as(mask)


def prune_global(weights: Tensors, masks: Tensors, rate: float) -> Tensors:
    """One threshold over all tensors (MIR-L-G)."""
    flat = torch.cat([w.flatten() for w in weights.values()])
    mask = smallest_removed(flat, torch.cat([masks[name].flatten() for name in weights]), rate)
    parts = mask.split([w.numel() for w in weights.values()])
    return {name: part.view_as(w) for (name, w), part in zip(weights.items(), parts)}


def prune_layerwise(weights: Tensors, masks: Tensors, rate: float) -> Tensors:
    """A threshold of its own for every tensor."""
    return {
        name: smallest_removed(w, masks[name], rate / 2 if name == OUTPUT else rate)
        for name, w in weights.items()
    }


def prune_scaled(weights: Tensors, masks: Tensors, rate: float) -> Tensors:
    """One threshold over all tensors for magnitudes in units of their initial spread, 1 / sqrt(inputs per output).

    By plain magnitude, tensors with many inputs per output go first, whatever they do: in narrow networks the 3x3
    convolutions between the levels, and with them all lower levels.
    """
    return prune_global({name: w * w[0].numel() ** 0.5 for name, w in weights.items()}, masks, rate)


SCOPES = {"global": prune_global, "layerwise": prune_layerwise, "scaled": prune_scaled}


def uses(config: Config, size: int = 64) -> dict[str, float]:
    """How often each prunable weight is multiplied per pixel of an image of `size` x `size` pixels.

    1 at full resolution, 1/4 a level below, and so on; 1 / size^2 in the prompts' linear layers, used once per image.
    """
    counts = {}

    def count(name, channels):
        return lambda layer, inputs, output: counts.update({name: output.numel() / channels / size**2})

    with torch.device("meta"):  # shapes only
        network = Network(config)
        for name, layer in network.named_modules():
            if isinstance(layer, FeedForward):  # uses these layers' weights without calling them
                for part in ("project_in", "dwconv"):
                    layer.register_forward_hook(count(f"{name}.{part}.weight", len(layer.project_out.weight)))
            elif hasattr(layer, "weight"):
                layer.register_forward_hook(count(f"{name}.weight", len(layer.weight)))
        network(torch.empty(1, 3, size, size))
    return counts


def spared(weights: torch.Tensor, mask: torch.Tensor, least: float) -> torch.Tensor:
    """The weights, of which the largest survivors are infinite, `least` of the tensor's elements (0..1)."""
    largest = (weights.abs() * mask).flatten().topk(math.ceil(least * weights.numel())).indices
    return weights.flatten().index_fill(0, largest, torch.inf).view_as(weights)


def remove(
    weights: Tensors, masks: Tensors, rate: float, scope: str, costs: dict[str, float] | None = None, least: float = 0
) -> Tensors:
    """The masks without the `rate` of their survivors that matter least; `scope` is one of SCOPES.

    Of every tensor the share `least` (0..1) stays: one threshold over all can cut a network in two.

    With `costs`, as of `uses`, a weight w of cost c counts as |w| / sqrt(c): removing it adds about w^2 to the loss
    (LeCun et al. 1990, with all curvatures equal) and saves c, and what adds least for what it saves goes first (Theis
    et al. 2018, arXiv 1801.05787, there with Fisher information). `layerwise` does not change by it.
    Prompts have a threshold for each: they begin at 0..1, far larger than weights, which says nothing of their use.
    """
    prompts = {name: w for name, w in weights.items() if name.endswith(PROMPT)}
    others = {name: w for name, w in weights.items() if name not in prompts}
    if costs:
        others = {name: w / costs[name] ** 0.5 for name, w in others.items()}
    others = {name: spared(w, masks[name], least) for name, w in others.items()}
    return SCOPES[scope](others, masks, rate) | prune_layerwise(prompts, masks, rate)


def shares(names: Collection[str], asked: dict[str, float]) -> dict[str, float]:
    """The share of each tensor that is to be kept, by the first pattern of `asked` that is found in its name (a regular
    expression); of those that none is found in, all.

    ValueError: a pattern that is found in no name or is none, or a share that is not from 0 to 1.
    """
    if not isinstance(asked, dict):
        raise ValueError(f"{asked!r} is no object of patterns and shares")
    for pattern, kept in asked.items():
        try:
            found = any(re.search(pattern, name) for name in names)
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}")
        if not found:
            raise ValueError(f"{pattern!r} is found in the name of no tensor that is pruned")
        if not isinstance(kept, (int, float)) or not 0 <= kept <= 1:
            raise ValueError(f"{pattern!r}: {kept!r} is no share, 0 to 1")
    return {name: next((kept for pattern, kept in asked.items() if re.search(pattern, name)), 1.0) for name in names}


def cut_to(weights: Tensors, masks: Tensors, shares: dict[str, float]) -> Tensors:
    """The masks without the smallest survivors of each tensor, so that no more than its share of the tensor is left."""
    rates = {name: 1 - shares[name] / max(density({name: mask}), 1e-9) for name, mask in masks.items()}
    return {name: smallest_removed(w, masks[name], rates[name]) for name, w in weights.items()}


def gradual_density(progress: float, final: float, first: float = 1, begin: float = 0.1, end: float = 0.65) -> float:
    """The density at `progress` (0..1) of a run that prunes as it trains, from `first` on (Zhu and Gupta 2017,
    equation 1)."""
    passed = min(max((progress - begin) / (end - begin), 0), 1)
    return final + (first - final) * (1 - passed) ** 3
