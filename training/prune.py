"""Magnitude pruning: which weights stay, as masks of 0 and 1.

MIR-L (arXiv 2510.14463, section 3) prunes every tensor whose name contains `weight`: convolutions,
linear layers and LayerNorm weights; never prompts, temperatures or biases. A weight that is masked
once stays masked.
"""

import torch

OUTPUT = "output.weight"  # pruned at half rate by `layerwise`: the image is made of little else

Tensors = dict[str, torch.Tensor]


def prunable(network) -> Tensors:
    """The weights that pruning may remove, by name."""
    return {name: p.data for name, p in network.named_parameters() if "weight" in name}


def full(weights: Tensors) -> Tensors:
    return {name: torch.ones_like(w) for name, w in weights.items()}


def density(masks: Tensors) -> float:
    """The share of prunable weights that is left."""
    return sum(int(m.count_nonzero()) for m in masks.values()) / sum(m.numel() for m in masks.values())


def apply(masks: Tensors, tensors: Tensors) -> None:
    """Sets masked values to zero, in place."""
    for name, mask in masks.items():
        tensors[name].mul_(mask)


def smallest_removed(weights: torch.Tensor, mask: torch.Tensor, rate: float) -> torch.Tensor:
    """The mask without the `rate` of its survivors that are smallest in magnitude."""
    survivors = mask.bool()
    count = int(round(rate * int(survivors.sum())))
    if count == 0:
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


def gradual_density(progress: float, final: float, begin: float = 0.1, end: float = 0.65) -> float:
    """The density at `progress` (0..1) of a run that prunes as it trains (Zhu and Gupta 2017, equation 1)."""
    passed = min(max((progress - begin) / (end - begin), 0), 1)
    return final + (1 - final) * (1 - passed) ** 3
