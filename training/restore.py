"""Restores whole images of any size with a network from a weight file."""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open

from network import Config, Network

MULTIPLE = 8  # three halvings

MIXTURE = "mixture."  # prefix of the tensors that hold the mean prompt mixtures of a kind of images


def load_network(path: Path) -> tuple[Network, dict[str, torch.Tensor]]:
    """The network of a safetensors file, in fp32, and the mixture (3, components) of each kind of images with one."""
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}
    except SafetensorError as error:
        raise ValueError(f"{path}: {error}")
    if "config" not in metadata:
        raise ValueError(f"{path}: no `config` in the metadata")
    mixtures = {name.removeprefix(MIXTURE): tensors.pop(name) for name in list(tensors) if name.startswith(MIXTURE)}
    network = Network(Config.from_json(metadata["config"])).eval()
    network.load_state_dict(tensors)
    return network, mixtures


def pad(images: torch.Tensor) -> torch.Tensor:
    """Grows (n, 3, h, w) right and down to multiples of 8: by reflection, or where too small, by the edge."""
    for axis, place in ((3, (0, 1, 0, 0)), (2, (0, 0, 0, 1))):
        size = images.shape[axis]
        missing = -size % MULTIPLE
        mode = "reflect" if missing < size else "replicate"
        images = F.pad(images, [missing * side for side in place], mode)
    return images


@torch.inference_mode()
def restore(network: Network, images: torch.Tensor) -> torch.Tensor:
    """(n, 3, h, w) degraded -> (n, 3, h, w) restored, not clamped."""
    height, width = images.shape[2:]
    return network(pad(images))[:, :, :height, :width]
