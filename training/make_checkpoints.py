"""Makes the checkpoints that the tests of `mirl-weights import` read: one narrow network, written in every way.

    pip install lightning
    python make_checkpoints.py ../Tests/MirlWeightsTests/Checkpoints

    lightning.ckpt       what Lightning's Trainer saves: the weights under `net.`, the optimizer's state and more
    plain.pth            a state dict of several types and memory layouts
    legacy.pth           the same in the format of PyTorch before 1.6
    weights.safetensors  the same values in float32

The values are random, and exact in half precision and bfloat16.
"""

import argparse
import logging
import shutil
import tempfile
from pathlib import Path

import lightning.pytorch as pl
import torch
from safetensors.torch import save_file

from network import Config, build

SEED = 1
CONFIG = Config(
    width=2, blocks=(1, 2, 1, 1), heads=(1, 2, 1, 4), prompt_heads=2, refinement=1,
    prompt_channels=(2, 4, 2), prompt_sizes=(4, 3, 2), prompt_components=2,
)  # fmt: skip


class Model(pl.LightningModule):
    """As in published training code: the network is `net`, and nothing else has parameters."""

    def __init__(self, rate: float, patches: Path):
        super().__init__()
        self.save_hyperparameters()
        self.net = build(CONFIG, SEED)
        # Published checkpoints hold these, which no forward pass reads.
        for n in (1, 2, 3):
            setattr(self.net, f"chnl_reduce{n}", torch.nn.Conv2d(2, 2, 1, bias=False))
            setattr(self.net, f"reduce_noise_channel_{n}", torch.nn.Conv2d(2, 2, 1, bias=False))
        self.loss = torch.nn.L1Loss()

    def training_step(self, batch, index):
        return self.loss(self.net(batch), batch)

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.hparams.rate)
        return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)]


def rounded(values: torch.Tensor) -> torch.Tensor:
    """To 8 bits of mantissa, most of those of matrices to zero."""
    values = values.bfloat16().half().bfloat16().float()
    return values * (torch.rand(values.shape) < 0.3) if values.squeeze().dim() > 1 else values


def train(folder: Path) -> Model:
    """Trains for two steps, so that there is a state to save, and saves lightning.ckpt."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    model = Model(1e-4, Path("data"))
    with tempfile.TemporaryDirectory() as logs:
        trainer = pl.Trainer(
            accelerator="cpu", max_steps=2, logger=False, enable_progress_bar=False, default_root_dir=logs,
            callbacks=[pl.callbacks.ModelCheckpoint(dirpath=logs, monitor=None)],
        )  # fmt: skip
        trainer.fit(model, torch.utils.data.DataLoader(torch.rand(2, 3, 8, 8)))
        for p in model.net.parameters():
            p.data.copy_(rounded(p.data))
        trainer.save_checkpoint(Path(logs) / "lightning.ckpt")
        shutil.copy(Path(logs) / "lightning.ckpt", folder)
    return model


def varied(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same values in all types, in layouts with strides, and as views into larger storages."""
    types = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
    result = {name: p.to(types[n % 4]) for n, (name, p) in enumerate(weights.items())}
    for name, p in result.items():
        if p.dim() == 4 and p.shape[1:] != (1, 1, 1):
            result[name] = p.contiguous(memory_format=torch.channels_last)
        elif p.dim() == 2:
            result[name] = p.t().contiguous().t()
        elif name.endswith("bias"):
            result[name] = torch.stack([p - 1, p, p + 1], 1).to(p.dtype)[:, 1]
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(exist_ok=True)
    torch.manual_seed(SEED)
    net = train(folder).net
    weights = {name: p.detach().clone() for name, p in net.named_parameters()}
    save_file(weights, folder / "weights.safetensors")
    torch.save(varied(weights), folder / "plain.pth")
    torch.save(varied(weights), folder / "legacy.pth", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
