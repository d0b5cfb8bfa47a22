"""The PromptIR network that MIR-L prunes, at any width and depth.

Tensors are (batch, channels, height, width), values 0..1, height and width multiples of 8.
Parameter names and shapes are those of the published checkpoints (PromptIR, arXiv 2306.13090;
MIR-L, arXiv 2510.14463), so that weights of either origin load here.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

if torch.cuda.is_available():
    import gpu  # needs Triton, which comes with PyTorch for GPUs

PRESETS = Path(__file__).parent / "presets"


@dataclass(frozen=True)
class Config:
    """The numbers that fix an architecture; the defaults are the paper's."""

    width: int = 48
    blocks: tuple[int, int, int, int] = (4, 6, 6, 8)
    refinement: int = 4
    heads: tuple[int, int, int, int] = (1, 2, 4, 8)
    prompt_heads: int = 4  # of the noise_level blocks
    expansion: float = 2.66
    prompt_channels: tuple[int, int, int] = (64, 128, 320)
    prompt_sizes: tuple[int, int, int] = (64, 32, 16)
    prompt_components: int = 5

    @staticmethod
    def load(preset: str) -> "Config":
        """Reads presets/NAME.json, or a path to such a file."""
        path = Path(preset) if preset.endswith(".json") else PRESETS / f"{preset}.json"
        return Config.from_json(path.read_text())

    @staticmethod
    def from_json(text: str) -> "Config":
        return Config(**{k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(text).items()})

    def as_json(self) -> str:
        return json.dumps(asdict(self))


def on_gpu(x: torch.Tensor) -> bool:
    return x.is_cuda


class LayerNorm(nn.Module):
    """Normalises over the channels of each pixel; the extra `body` keeps the published names."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.LayerNorm(channels)

    def forward(self, x):
        x = x.permute(0, 2, 3, 1)
        if on_gpu(x):
            x = gpu.LayerNorm.apply(x, self.body.weight, self.body.bias, self.body.eps)
        else:
            x = self.body(x)
        return x.permute(0, 3, 1, 2)


def pointwise(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """A 1x1 convolution."""
    if on_gpu(x):
        return F.linear(x.permute(0, 2, 3, 1), weight.flatten(1)).permute(0, 3, 1, 2)
    return F.conv2d(x, weight)


class Pointwise(nn.Conv2d):
    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs, 1, bias=False)

    def forward(self, x):
        return pointwise(x, self.weight)


def conv3x3(inputs: int, outputs: int, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, groups=groups, bias=False)


class Attention(nn.Module):
    """MDTA (Restormer, section 3.1): attention between channels, over all pixels."""

    def __init__(self, channels: int, heads: int):
        super().__init__()
        self.heads = heads
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv = Pointwise(channels, 3 * channels)
        self.qkv_dwconv = conv3x3(3 * channels, 3 * channels, groups=3 * channels)
        self.project_out = Pointwise(channels, channels)

    def forward(self, x):
        n, c, h, w = x.shape
        qkv = self.qkv_dwconv(self.qkv(x)).permute(0, 2, 3, 1).reshape(n, h * w, 3, self.heads, c // self.heads)
        scores, v = self.scores_on_gpu(qkv) if on_gpu(x) else self.scores(qkv)
        out = v @ (scores * self.temperature).softmax(-1).transpose(2, 3)
        return self.project_out(out.permute(0, 2, 1, 3).reshape(n, h, w, c).permute(0, 3, 1, 2))

    def scores(self, qkv):
        """Cosines between q's and k's channels (n, heads, c/heads, c/heads), and v (n, heads, h*w, c/heads)."""
        q, k, v = (t.permute(0, 2, 1, 3) for t in qkv.unbind(2))
        # Normalising the small product instead of q and k is the same in exact arithmetic and much cheaper.
        norm_q = q.norm(dim=2).clamp_min(1e-12).unsqueeze(-1)
        norm_k = k.norm(dim=2).clamp_min(1e-12).unsqueeze(-2)
        return q.transpose(2, 3) @ k / (norm_q * norm_k), v

    def scores_on_gpu(self, qkv):
        """The same by one product of q and k with themselves, whose diagonal has the squared norms: four times as many
        multiplications, which cost nothing there, and no passes for the norms."""
        pixels, c = qkv.shape[1], qkv.shape[-1]
        qk, v = qkv.split((2, 1), 2)
        qk = qk.permute(0, 3, 1, 2, 4).flatten(3)
        parts = qk.unflatten(2, (-1, 1024 if pixels % 1024 == 0 else pixels))  # to keep more than a few units busy
        products = (parts.transpose(3, 4) @ parts).sum(2, dtype=torch.float32)
        norms = products.diagonal(dim1=2, dim2=3).clamp_min(1e-24).sqrt()
        scores = products[..., :c, c:] / (norms[..., :c, None] * norms[..., None, c:])
        return scores, v.squeeze(2).permute(0, 2, 1, 3)


class FeedForward(nn.Module):
    """GDFN (Restormer, section 3.2): a gated feed-forward layer with exact (erf) GELU."""

    def __init__(self, channels: int, expansion: float):
        super().__init__()
        hidden = int(channels * expansion)
        self.project_in = Pointwise(channels, 2 * hidden)
        self.dwconv = conv3x3(2 * hidden, 2 * hidden, groups=2 * hidden)
        self.project_out = Pointwise(hidden, channels)

    def forward(self, x):
        if on_gpu(x):
            return self.forward_on_gpu(x)
        # Weights are split, not maps: on a CPU to join the gradients of a map's parts takes as long as the convolutions.
        gate, value = (
            F.conv2d(F.conv2d(x, expand), filters, padding=1, groups=len(filters))
            for expand, filters in zip(self.project_in.weight.chunk(2), self.dwconv.weight.chunk(2))
        )
        return self.project_out(F.gelu(gate) * value)

    def forward_on_gpu(self, x):
        """With hidden channels that are zero up to a multiple of 8, which tensor cores need to be fast."""
        missing = -self.project_out.in_channels % 8
        expand, filters = (
            F.pad(layer.weight.unflatten(0, (2, -1)), (0, 0) * 3 + (0, missing)).flatten(0, 1)
            for layer in (self.project_in, self.dwconv)
        )
        hidden = F.conv2d(pointwise(x, expand), filters, padding=1, groups=len(filters))
        gated = gpu.Gate.apply(hidden.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return pointwise(gated, F.pad(self.project_out.weight, (0, 0) * 2 + (0, missing)))


class Block(nn.Module):
    def __init__(self, channels: int, heads: int, expansion: float):
        super().__init__()
        self.norm1 = LayerNorm(channels)
        self.attn = Attention(channels, heads)
        self.norm2 = LayerNorm(channels)
        self.ffn = FeedForward(channels, expansion)
        self.has_attn = self.has_ffn = True  # False leaves the part out, which is right once its project_out is zero

    def forward(self, x):
        if self.has_attn:
            x = x + self.attn(self.norm1(x))
        return x + self.ffn(self.norm2(x)) if self.has_ffn else x


class Embed(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.proj = conv3x3(3, width)

    def forward(self, x):
        return self.proj(x)


class Resample(nn.Module):
    """Halves (Down) or doubles (Up) the resolution, doubling or halving the channels."""

    def __init__(self, conv: nn.Conv2d, shuffle: nn.Module):
        super().__init__()
        self.body = nn.Sequential(conv, shuffle)

    def forward(self, x):
        return self.body(x).contiguous(memory_format=torch.channels_last)


def down(channels: int) -> Resample:
    return Resample(conv3x3(channels, channels // 2), nn.PixelUnshuffle(2))


def up(channels: int) -> Resample:
    return Resample(conv3x3(channels, channels * 2), nn.PixelShuffle(2))


class Prompt(nn.Module):
    """PromptIR, section 3.1: a mixture of learned maps, weighted by what the features show."""

    def __init__(self, channels: int, size: int, inputs: int, components: int):
        super().__init__()
        self.prompt_param = nn.Parameter(torch.rand(1, components, channels, size, size))
        self.linear_layer = nn.Linear(inputs, components)
        self.conv3x3 = conv3x3(channels, channels)
        self.mixture = None  # (batch, components) of the last forward pass
        self.steered = None  # (components,) that replaces what the features show, if set

    def forward(self, x):
        if self.steered is None:
            mixture = self.linear_layer(x.mean((2, 3))).softmax(1)
        else:
            mixture = self.steered.expand(len(x), -1)
        self.mixture = mixture
        prompt = torch.einsum("nk,kchw->nchw", mixture.to(self.prompt_param.dtype), self.prompt_param[0])
        prompt = F.interpolate(prompt, x.shape[2:], mode="bilinear", align_corners=False)
        return self.conv3x3(prompt.contiguous(memory_format=torch.channels_last))


class Network(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        d, (p1, p2, p3), (b1, b2, b3, b4) = config.width, config.prompt_channels, config.blocks
        s1, s2, s3 = config.prompt_sizes
        h1, h2, h3, h4 = config.heads

        def block(channels, heads):
            return Block(channels, heads, config.expansion)

        def level(channels, heads, count):
            return nn.Sequential(*(block(channels, heads) for _ in range(count)))

        def prompt(channels, size, inputs):
            return Prompt(channels, size, inputs, config.prompt_components)

        self.patch_embed = Embed(d)
        self.encoder_level1 = level(d, h1, b1)
        self.down1_2 = down(d)
        self.encoder_level2 = level(2 * d, h2, b2)
        self.down2_3 = down(2 * d)
        self.encoder_level3 = level(4 * d, h3, b3)
        self.down3_4 = down(4 * d)
        self.latent = level(8 * d, h4, b4)

        self.prompt3 = prompt(p3, s3, 8 * d)
        self.noise_level3 = block(8 * d + p3, config.prompt_heads)
        self.reduce_noise_level3 = Pointwise(8 * d + p3, 4 * d)
        self.up4_3 = up(4 * d)
        self.reduce_chan_level3 = Pointwise(6 * d, 4 * d)
        self.decoder_level3 = level(4 * d, h3, b3)

        self.prompt2 = prompt(p2, s2, 4 * d)
        self.noise_level2 = block(4 * d + p2, config.prompt_heads)
        self.reduce_noise_level2 = Pointwise(4 * d + p2, 4 * d)
        self.up3_2 = up(4 * d)
        self.reduce_chan_level2 = Pointwise(4 * d, 2 * d)
        self.decoder_level2 = level(2 * d, h2, b2)

        self.prompt1 = prompt(p1, s1, 2 * d)
        self.noise_level1 = block(2 * d + p1, config.prompt_heads)
        self.reduce_noise_level1 = Pointwise(2 * d + p1, 2 * d)
        self.up2_1 = up(2 * d)
        self.decoder_level1 = level(2 * d, h1, b1)
        self.refinement = level(2 * d, h1, config.refinement)
        self.output = conv3x3(2 * d, 3)

    def forward(self, image):
        """(n, 3, h, w) degraded -> (n, 3, h, w) restored, not clamped."""
        image = image.contiguous(memory_format=torch.channels_last)
        e1 = self.encoder_level1(self.patch_embed(image))
        e2 = self.encoder_level2(self.down1_2(e1))
        e3 = self.encoder_level3(self.down2_3(e2))
        y = self.latent(self.down3_4(e3))
        y = self.reduce_noise_level3(self.noise_level3(torch.cat([y, self.prompt3(y)], 1)))
        y = self.decoder_level3(self.reduce_chan_level3(torch.cat([self.up4_3(y), e3], 1)))
        y = self.reduce_noise_level2(self.noise_level2(torch.cat([y, self.prompt2(y)], 1)))
        y = self.decoder_level2(self.reduce_chan_level2(torch.cat([self.up3_2(y), e2], 1)))
        y = self.reduce_noise_level1(self.noise_level1(torch.cat([y, self.prompt1(y)], 1)))
        y = self.decoder_level1(torch.cat([self.up2_1(y), e1], 1))
        return self.output(self.refinement(y)) + image

    def steer(self, mixture: torch.Tensor | None):
        """Fixes the prompt mixtures to (3 prompts, components), say the means of a task; None frees them."""
        for i, prompt in enumerate((self.prompt1, self.prompt2, self.prompt3)):
            prompt.steered = None if mixture is None else mixture[i]

    def mixtures(self) -> torch.Tensor:
        """The prompt mixtures of the last forward pass: (3 prompts, batch, components)."""
        return torch.stack([self.prompt1.mixture, self.prompt2.mixture, self.prompt3.mixture])


def build(config: Config, seed: int) -> Network:
    """A network with its initial weights W0, which the seed alone reproduces."""
    torch.manual_seed(seed)
    return Network(config)
