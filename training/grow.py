"""Makes a wider and deeper network of a trained one, which restores nearly as the trained one does.

    python grow.py runs/lite-13/weights.safetensors full.safetensors --preset full

`train.py --start full.safetensors` goes on from there, far ahead of initial weights. The width must be a multiple of
the trained network's, the heads and prompt components the same.

Each channel becomes `width / trained width` copies side by side, and every weight that joined two channels joins the
copies of equal number (Net2Wider of Chen et al. 2016, arXiv 1511.05641, which joins each with all copies). So as many
equal networks lie within the new one, block by block. LayerNorm and attention, which see all channels, have the same
means, variances and shares before and after.
What has no counterpart, the weights between different networks, pruned ones, and further hidden channels and prompts,
is `--spread` times its initial value, which lets the copies part; so does `--noise`, which changes every weight that is
copied, but for norms, biases and temperatures, by a share of it. Blocks that are further or that pruning has emptied
begin as initial blocks whose results count a tenth.
Prompts that do not grow as the width does change what LayerNorm sees after them; its factors make up for that as if
means were zero.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from network import Attention, Config, Network, Prompt, build
from restore import load_network

RESULT = 0.1  # of their initial values: the last weights of blocks that begin anew


@dataclass(frozen=True)
class Axis:
    """The channels of an axis of the new network: which trained one each is made of, and which copy of it, or -1."""

    source: torch.Tensor
    copy: torch.Tensor

    @staticmethod
    def copies(channels: int, factor: int) -> "Axis":
        return Axis(torch.arange(channels).repeat_interleave(factor), torch.arange(factor).repeat(channels))

    @staticmethod
    def joined(parts: list["Axis"], lengths: list[int]) -> "Axis":
        """One after another; `lengths` are those of the trained network's parts."""
        begins = [sum(lengths[:i]) for i in range(len(lengths))]
        sources = [torch.where(part.source < 0, -1, part.source + begin) for part, begin in zip(parts, begins)]
        return Axis(torch.cat(sources), torch.cat([part.copy for part in parts]))

    def filled(self, length: int) -> "Axis":
        """With new channels at the end."""
        missing = length - len(self.source)
        if missing < 0:
            raise ValueError(f"{len(self.source)} copies of channels where the new network has {length}")
        return Axis(*(F.pad(t, (0, missing), value=-1) for t in (self.source, self.copy)))

    def split(self, parts: int) -> "Axis":
        """Each channel as `parts` ones, as before a pixel shuffle or after its inverse."""
        source = self.source.repeat_interleave(parts) * parts + torch.arange(parts).repeat(len(self.source))
        return Axis(source, self.copy.repeat_interleave(parts))


class Growth:
    """From the trained network `old` to `new`, which comes with initial values."""

    def __init__(self, old: Network, new: Network, spread: float, noise: float):
        self.factor, rest = divmod(new.config.width, old.config.width)
        if rest or not self.factor:
            raise ValueError(f"a width of {old.config.width} does not grow to {new.config.width}, which is no multiple")
        same = ("heads", "prompt_heads", "prompt_components")
        if differing := [name for name in same if getattr(old.config, name) != getattr(new.config, name)]:
            raise ValueError(f"{', '.join(differing)} differ between the networks")
        counts = [(*network.config.blocks, network.config.refinement) for network in (old, new)]
        if any(after < before for before, after in zip(*counts)):
            raise ValueError(f"{counts[0]} blocks do not grow to {counts[1]}")
        self.spread, self.noise = spread, noise
        self.old, self.new = dict(old.named_modules()), dict(new.named_modules())
        self.weights = new.state_dict()

    def copies(self, channels: int) -> Axis:
        return Axis.copies(channels, self.factor)

    def set(self, name: str, known: torch.Tensor, value: torch.Tensor):
        """Of the tensor `name`: `value`, but for the noise, where `known`, elsewhere the spread."""
        value = value * (1 + self.noise * torch.randn(known.shape))
        self.weights[name] = torch.where(known, value, self.weights[name] * self.spread)

    def conv(self, name: str, outputs: Axis | None, inputs: Axis | None):
        """Weights of shape (outputs, inputs, ...); an axis that has no copies, as the image's, is None."""
        old = self.old[name].weight.detach()
        if not old.any():  # emptied by pruning, so it begins anew
            return
        o = outputs or Axis(torch.arange(len(old)), torch.full((len(old),), -1))
        i = inputs or Axis(torch.arange(old.shape[1]), torch.full((old.shape[1],), -1))
        joined = (o.copy[:, None] == i.copy[None]) if outputs and inputs else torch.tensor(True)
        known = joined & (o.source >= 0)[:, None] & (i.source >= 0)[None]
        value = old[o.source][:, i.source]
        if outputs is None:
            value = value / self.factor  # all copies are added up
        self.set(f"{name}.weight", known[(...,) + (None,) * (old.ndim - 2)] & (value != 0), value)

    def depthwise(self, name: str, axis: Axis):
        value = self.old[name].weight.detach()[axis.source]
        known = (axis.source >= 0)[:, None, None, None]
        self.set(f"{name}.weight", known & (value != 0), value)

    def norm(self, name: str, axis: Axis):
        old, known = self.old[name].body, axis.source >= 0
        share = known.float().mean()  # of channels that are not zero: what the variance is multiplied by
        for part, scale in (("weight", share.sqrt()), ("bias", 1)):
            value = getattr(old, part).detach()[axis.source] * scale
            key = f"{name}.body.{part}"
            self.weights[key] = torch.where(known, value, self.weights[key])

    def block(self, name: str, axis: Axis):
        old = self.old.get(name)
        for norm, part, grow_part in (("norm1", "attn", self.attention), ("norm2", "ffn", self.feed_forward)):
            if old is not None and getattr(old, part).project_out.weight.any():
                self.norm(f"{name}.{norm}", axis)
                grow_part(f"{name}.{part}", axis)
            else:
                self.weights[f"{name}.{part}.project_out.weight"] *= RESULT

    def attention(self, name: str, axis: Axis):
        old: Attention = self.old[name]
        wide = len(self.new[name].project_out.weight) // old.heads
        narrow = len(old.project_out.weight) // old.heads
        head = self.copies(narrow).filled(wide)
        hidden = Axis.joined([head] * old.heads, [narrow] * old.heads)
        qkv = Axis.joined([hidden] * 3, [narrow * old.heads] * 3)
        self.weights[f"{name}.temperature"] = old.temperature.detach().clone()
        self.conv(f"{name}.qkv", qkv, axis)
        self.depthwise(f"{name}.qkv_dwconv", qkv)
        self.conv(f"{name}.project_out", axis, hidden)

    def feed_forward(self, name: str, axis: Axis):
        narrow, wide = (layers[name].project_out.weight.shape[1] for layers in (self.old, self.new))
        hidden = self.copies(narrow).filled(wide)
        both = Axis.joined([hidden] * 2, [narrow] * 2)
        self.conv(f"{name}.project_in", both, axis)
        self.depthwise(f"{name}.dwconv", both)
        self.conv(f"{name}.project_out", axis, hidden)

    def level(self, name: str, axis: Axis):
        for i in range(len(self.new[name])):
            self.block(f"{name}.{i}", axis)

    def prompt(self, name: str, inputs: Axis) -> Axis:
        """Returns the axis of what is joined to the features."""
        old: Prompt = self.old[name]
        narrow, wide = (layers[name].prompt_param.shape[2] for layers in (self.old, self.new))
        axis = self.copies(narrow).filled(wide)
        value = F.interpolate(
            old.prompt_param[0].detach(), self.new[name].prompt_param.shape[3:], mode="bilinear", align_corners=False)
        value = value[None, :, axis.source]
        known = (axis.source >= 0)[None, None, :, None, None]
        self.set(f"{name}.prompt_param", known & (value != 0), value)
        self.conv(f"{name}.linear_layer", None, inputs)
        self.weights[f"{name}.linear_layer.bias"] = old.linear_layer.bias.detach().clone()
        self.conv(f"{name}.conv3x3", axis, axis)
        return axis

    def noise_level(self, number: int, axis: Axis, outputs: Axis):
        """The prompt that is joined to the features, their block, and the convolution after it."""
        old: Prompt = self.old[f"prompt{number}"]
        lengths = [old.linear_layer.in_features, old.conv3x3.out_channels]
        both = Axis.joined([axis, self.prompt(f"prompt{number}", axis)], lengths)
        self.block(f"noise_level{number}", both)
        self.conv(f"reduce_noise_level{number}", outputs, both)

    def run(self) -> dict[str, torch.Tensor]:
        width = self.old["patch_embed.proj"].out_channels
        e1 = self.copies(width)
        self.conv("patch_embed.proj", e1, None)
        self.level("encoder_level1", e1)
        e2 = self.copies(width // 2).split(4)
        self.conv("down1_2.body.0", self.copies(width // 2), e1)
        self.level("encoder_level2", e2)
        e3 = self.copies(width).split(4)
        self.conv("down2_3.body.0", self.copies(width), e2)
        self.level("encoder_level3", e3)
        e4 = self.copies(2 * width).split(4)
        self.conv("down3_4.body.0", self.copies(2 * width), e3)
        self.level("latent", e4)

        d1, d2, d3 = (self.copies(n * width) for n in (1, 2, 4))
        self.noise_level(3, e4, d3)
        self.conv("up4_3.body.0", d2.split(4), d3)
        self.conv("reduce_chan_level3", d3, Axis.joined([d2, e3], [2 * width, 4 * width]))
        self.level("decoder_level3", d3)
        self.noise_level(2, d3, d3)
        self.conv("up3_2.body.0", d2.split(4), d3)
        self.conv("reduce_chan_level2", d2, Axis.joined([d2, e2], [2 * width] * 2))
        self.level("decoder_level2", d2)
        self.noise_level(1, d2, d2)
        self.conv("up2_1.body.0", d1.split(4), d2)
        last = Axis.joined([d1, e1], [width] * 2)
        self.level("decoder_level1", last)
        self.level("refinement", last)
        self.conv("output", None, last)
        return self.weights


def grow(
    old: Network, config: Config, spread: float = 0.01, noise: float = 0.0, seed: int = 0
) -> dict[str, torch.Tensor]:
    """The weights of a network of `config`. ValueError: it is no wider and deeper kind of `old`."""
    return Growth(old, build(config, seed), spread, noise).run()


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("weights", type=Path, help="the trained network's weights.safetensors")
    parser.add_argument("out", type=Path)
    parser.add_argument("--preset", default="full", help="presets/NAME.json or a path")
    parser.add_argument("--spread", type=float, default=0.01)
    parser.add_argument("--noise", type=float, default=0.0, help="standard deviation, relative to each copied weight")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    config = Config.load(options.preset)
    try:
        weights = grow(load_network(options.weights)[0], config, options.spread, options.noise, options.seed)
    except (OSError, ValueError) as error:
        raise SystemExit(f"grow.py: {error}")
    save_file({k: v.contiguous() for k, v in weights.items()}, options.out, {"config": config.as_json()})


if __name__ == "__main__":
    main()
