"""The network's layers for GPUs; without one, in Triton's interpreter."""

import os

import pytest
import torch
import torch.nn.functional as F

ON_GPU = torch.cuda.is_available()
if not ON_GPU:
    os.environ["TRITON_INTERPRET"] = "1"  # heeded when it is imported
pytest.importorskip("triton", reason="comes with PyTorch for GPUs")

import gpu  # noqa: E402
import network as networks  # noqa: E402
from network import Config, build  # noqa: E402

DEVICE = "cuda" if ON_GPU else "cpu"
SHAPES = [(2, 3, 5, 10), (1, 3, 3, 70), (2, 8, 8, 64), (1, 1, 1, 2)]  # (n, height, width, channels)


def random(*shape):
    return torch.randn(shape, device=DEVICE, requires_grad=True)


def assert_alike(ours, reference, inputs):
    torch.testing.assert_close(ours, reference, rtol=1e-4, atol=1e-5)
    given = torch.randn_like(reference)
    gradients = (torch.autograd.grad(result, inputs, given) for result in (ours, reference))
    for of_ours, of_reference in zip(*gradients):
        torch.testing.assert_close(of_ours, of_reference, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_layer_norm_is_torchs_and_so_are_its_gradients(shape, monkeypatch):
    monkeypatch.setattr(gpu, "PROGRAMS", 3)  # so that a program sums several tiles
    torch.manual_seed(0)
    x, weight, bias = random(*shape), random(shape[3]), random(shape[3])
    reference = F.layer_norm(x, shape[3:], weight, bias, 1e-5)
    assert_alike(gpu.LayerNorm.apply(x, weight, bias, 1e-5), reference, (x, weight, bias))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_gate_is_gelu_of_a_half_times_the_other_and_so_are_its_gradients(shape):
    torch.manual_seed(0)
    x = random(*shape)
    first, second = x.chunk(2, 3)
    assert_alike(gpu.Gate.apply(x), F.gelu(first) * second, (x,))


def test_the_network_restores_the_same_and_learns_the_same(monkeypatch):
    narrow = build(Config(6, (1, 1, 1, 1), 1, (1, 1, 2, 2), 2, 2.66, (4, 4, 4), (4, 2, 2)), 0)
    image = torch.rand(2, 3, 16, 16)

    def restored(device):
        network = narrow.to(device)
        result = network(image.to(device))
        gradients = torch.autograd.grad(result.square().sum(), list(network.parameters()))
        return [tensor.cpu() for tensor in (result, *gradients)]

    reference = restored("cpu")
    if not ON_GPU:
        monkeypatch.setattr(networks, "on_gpu", lambda x: True)
        monkeypatch.setattr(networks, "gpu", gpu, raising=False)
    for ours, theirs in zip(restored(DEVICE), reference):
        assert (ours - theirs).norm() <= 1e-3 * theirs.norm() + 1e-6
