"""Rounding to 8 bits is as near as it can be, and as the packer does it."""

import torch

from quantize import encode, quantized_prompt, quantized_weight


def test_prompts_are_within_half_a_step_of_their_map():
    torch.manual_seed(0)
    prompt = torch.randn(1, 3, 4, 5, 5) * torch.logspace(-3, 3, 12).reshape(1, 3, 4, 1, 1) + 7
    prompt[0, 0, 0] = 0.3  # a constant map
    steps = (prompt.amax((-2, -1), keepdim=True) - prompt.amin((-2, -1), keepdim=True)) / 254
    error = (quantized_prompt(prompt) - prompt).abs()
    assert (error <= steps / 2 + 1e-6 * prompt.abs()).all() and error.max() > 0
    assert (quantized_prompt(prompt)[0, 0, 0] == prompt[0, 0, 0]).all()


def test_zeros_of_prompts_stay_zero():
    torch.manual_seed(0)
    prompt = torch.randn(1, 3, 4, 5, 5) + torch.linspace(-2, 2, 12).reshape(1, 3, 4, 1, 1)
    prompt[..., 2, :3] = 0
    prompt[0, 0, 0] = 0
    assert torch.equal(quantized_prompt(prompt) == 0, prompt == 0)


def test_zero_weights_stay_zero():
    weight = torch.tensor([[0.0, 1, -2], [0, 0, 0], [0, 1e-3, 127e-3]])
    by_row = quantized_weight(weight, per_row=True)
    torch.testing.assert_close(by_row, torch.tensor([[0.0, 64 * 2 / 127, -2], [0, 0, 0], [0, 1e-3, 127e-3]]))
    assert torch.equal(quantized_weight(weight, per_row=False)[2, 1], torch.tensor(0.0))


def test_vectors_and_temperatures_stay_whole():
    weights = {"a.bias": torch.tensor([1e-9]), "a.temperature": torch.full((1, 1, 1), 1 / 3)}
    encoded = encode(weights, prompts=True, matrices="row")
    assert all(torch.equal(encoded[name], values) for name, values in weights.items())
