"""Layers of the network on GPUs, as Triton kernels that read and write every value once: PyTorch's own take several passes
each, and most of a training's time.

Maps are (n, height, width, channels), contiguous, of any float type; sums are in float32.
"""

import torch
import triton
import triton.language as tl

TILE = 4096  # values in the registers of a program
PROGRAMS = 1024  # that share a sum over all pixels, at most


@triton.jit
def normalise(x, weight, bias, y, pixels, channels, epsilon, PIXELS: tl.constexpr, CHANNELS: tl.constexpr):
    pixel, channel = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS), tl.arange(0, CHANNELS)
    inside = (pixel < pixels)[:, None] & (channel < channels)
    at = pixel.to(tl.int64)[:, None] * channels + channel
    value = tl.load(x + at, inside, 0).to(tl.float32)
    value = tl.where(inside, value - (tl.sum(value, 1) / channels)[:, None], 0)
    scale = tl.rsqrt(tl.sum(value * value, 1) / channels + epsilon)
    w = tl.load(weight + channel, channel < channels, 0)
    tl.store(y + at, value * scale[:, None] * w + tl.load(bias + channel, channel < channels, 0), inside)


@triton.jit
def normalise_gradient(
    x, weight, g, dx, parts, pixels, channels, epsilon, EACH: tl.constexpr, PIXELS: tl.constexpr, CHANNELS: tl.constexpr
):
    """Of EACH pixels; `parts` gets their share of the weights' and the biases' gradients."""
    channel = tl.arange(0, CHANNELS)
    w = tl.load(weight + channel, channel < channels, 0)
    dw = tl.zeros((PIXELS, CHANNELS), tl.float32)
    db = tl.zeros((PIXELS, CHANNELS), tl.float32)
    for begin in range(0, EACH, PIXELS):
        pixel = tl.program_id(0) * EACH + begin + tl.arange(0, PIXELS)
        inside = (pixel < pixels)[:, None] & (channel < channels)
        at = pixel.to(tl.int64)[:, None] * channels + channel
        value = tl.load(x + at, inside, 0).to(tl.float32)
        value = tl.where(inside, value - (tl.sum(value, 1) / channels)[:, None], 0)
        scale = tl.rsqrt(tl.sum(value * value, 1) / channels + epsilon)[:, None]
        value *= scale
        given = tl.load(g + at, inside, 0).to(tl.float32)
        dw += given * value
        db += given
        given *= w
        along, mean = tl.sum(given * value, 1) / channels, tl.sum(given, 1) / channels
        tl.store(dx + at, (given - value * along[:, None] - mean[:, None]) * scale, inside)
    out = parts + tl.program_id(0) * 2 * channels + channel
    tl.store(out, tl.sum(dw, 0), channel < channels)
    tl.store(out + channels, tl.sum(db, 0), channel < channels)


class LayerNorm(torch.autograd.Function):
    """Over the last axis, with weights and biases in float32."""

    @staticmethod
    def tile(x):
        width = triton.next_power_of_2(x.shape[-1])
        return max(1, TILE // width), width

    @staticmethod
    def forward(ctx, x, weight, bias, epsilon):
        x = x.contiguous()
        channels, y = x.shape[-1], torch.empty_like(x)
        pixels, tile = x.numel() // channels, LayerNorm.tile(x)
        normalise[(triton.cdiv(pixels, tile[0]),)](x, weight, bias, y, pixels, channels, epsilon, *tile)
        ctx.save_for_backward(x, weight)
        ctx.epsilon = epsilon
        return y

    @staticmethod
    def backward(ctx, g):
        x, weight = ctx.saved_tensors
        g, dx, channels = g.contiguous(), torch.empty_like(x), x.shape[-1]
        pixels, tile = x.numel() // channels, LayerNorm.tile(x)
        each = triton.cdiv(triton.cdiv(pixels, PROGRAMS), tile[0]) * tile[0]
        parts = x.new_empty(triton.cdiv(pixels, each), 2, channels, dtype=torch.float32)
        normalise_gradient[(len(parts),)](x, weight, g, dx, parts, pixels, channels, ctx.epsilon, each, *tile)
        return dx, *parts.sum(0), None


@triton.jit
def gate(x, y, count, hidden, BLOCK: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    at = x + i // hidden * hidden + i
    a, b = (tl.load(at, i < count, 0).to(tl.float32), tl.load(at + hidden, i < count, 0).to(tl.float32))
    tl.store(y + i, 0.5 * a * (1 + tl.erf(a * 0.7071067811865476)) * b, i < count)


@triton.jit
def gate_gradient(x, g, dx, count, hidden, BLOCK: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    at = i // hidden * hidden + i
    a, b = (tl.load(x + at, i < count, 0).to(tl.float32), tl.load(x + at + hidden, i < count, 0).to(tl.float32))
    given = tl.load(g + i, i < count, 0).to(tl.float32)
    half = 0.5 * (1 + tl.erf(a * 0.7071067811865476))
    slope = half + a * 0.3989422804014327 * tl.exp(-0.5 * a * a)
    tl.store(dx + at, given * b * slope, i < count)
    tl.store(dx + at + hidden, given * a * half, i < count)


class Gate(torch.autograd.Function):
    """GELU of the first half of the channels times the second half."""

    BLOCK = 1024

    @staticmethod
    def forward(ctx, x):
        x = x.contiguous()
        hidden = x.shape[-1] // 2
        y = x.new_empty(*x.shape[:-1], hidden)
        gate[(triton.cdiv(y.numel(), Gate.BLOCK),)](x, y, y.numel(), hidden, Gate.BLOCK)
        ctx.save_for_backward(x)
        return y

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        g, dx = g.contiguous(), torch.empty_like(x)
        gate_gradient[(triton.cdiv(g.numel(), Gate.BLOCK),)](x, g, dx, g.numel(), g.shape[-1], Gate.BLOCK)
        return dx
