"""The reader of weight files gives back what was packed, and refuses what was damaged."""

import lzma
import re
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, load_file

import revision
import weightfile

ROOT = Path(__file__).parents[2]
LITE = ROOT / "weights/lite.mirl"
BUILT_IN = [path for path in revision.SHIPPED if path.stem.startswith("lite")]


@pytest.fixture(scope="module", params=revision.SHIPPED, ids=lambda path: path.stem)
def shipped(request) -> weightfile.WeightFile:
    return weightfile.read(request.param)


def weights_of(run: Path) -> dict[str, np.ndarray]:
    packed = run / "weights.safetensors.xz"
    return load(lzma.decompress(packed.read_bytes())) if packed.exists() else load_file(run / "weights.safetensors")


def test_values_are_those_of_the_run_as_they_are_stored(shipped):
    name = re.search(r"^Run (\S+),", shipped.provenance, re.M)[1]
    run = weights_of(ROOT / "training/runs" / name)
    assert set(run) <= set(shipped.tensors)
    is_full = name.startswith("full")
    for name, values in run.items():
        values = values.reshape(len(values) if "prompt_param" not in name else values.shape[1], -1).astype(np.float32)
        found = shipped.tensors[name]
        if not is_full or re.search("norm|bias|temperature", name):
            assert np.array_equal(found, values), name
        elif "prompt_param" not in name:  # of which a test below tells
            assert np.abs(found - values).max() <= np.abs(values).max() / 253, name


@pytest.mark.parametrize("page, files", [("README.md", BUILT_IN), ("docs/quality.md", revision.SHIPPED)])
def test_figures_are_of_the_weights_that_are_shipped(page, files):
    text = (ROOT / page).read_text()
    for path in files:
        assert revision.weights(path) in text


def test_the_weights_of_the_small_network_are_built_in(tools):
    assert revision.built_in(tools / "mirl-filter").count(".mirl") == len(BUILT_IN) == 4


def test_architecture_and_provenance_are_read(shipped):
    width = 48 if "\nRun full-" in shipped.provenance else 16
    assert shipped.architecture["width"] == width
    assert shipped.architecture["expansion"] == 2.66
    assert shipped.provenance.startswith(f"PromptIR network of width {width}")


def test_values_of_eight_bits_are_read_to_half_a_step(tmp_path, tools):
    source = ROOT / "Tests/MirlWeightsTests/Checkpoints/weights.safetensors"
    subprocess.run([tools / "mirl-weights", "pack", source, tmp_path / "x.mirl", "--values", "int8"], check=True)
    found = weightfile.read(tmp_path / "x.mirl").tensors
    prompts = {name: values for name, values in load_file(source).items() if "prompt_param" in name}
    assert len(prompts) == 3
    for name, values in load_file(source).items():
        if name in found and values.ndim > 1 and name not in prompts:
            values = values.astype(np.float32).reshape(found[name].shape)
            assert np.abs(found[name] - values).max() <= np.abs(values).max() / 253, name
    for name, values in prompts.items():
        maps = values.astype(np.float32).reshape(*values.shape[1:3], -1)
        half = np.ptp(maps, -1) / 508
        off = np.abs(found[name].reshape(maps.shape) - maps).max(-1)
        assert (off <= half + 3e-7 * np.abs(maps).max(-1)).all(), name  # and the rounding to fp32


def seal(data: bytearray):
    """Writes the checksum of header, records and provenance."""
    count, text = struct.unpack_from("<I", data, 24)[0], struct.unpack_from("<I", data, 112)[0]
    data[28:32] = bytes(4)
    data[28:32] = struct.pack("<I", weightfile.crc32c(bytes(data[: 128 + 96 * count + text])))


def test_an_unknown_type_of_values_is_refused(tmp_path):
    data = bytearray(LITE.read_bytes())
    struct.pack_into("<H", data, 128 + 58, 9)  # of the first record
    seal(data)
    (tmp_path / "x.mirl").write_bytes(data)
    with pytest.raises(weightfile.DamagedFile, match="type of values 9"):
        weightfile.read(tmp_path / "x.mirl")


def test_bytes_behind_the_last_payload_are_refused(tmp_path):
    data = bytearray(LITE.read_bytes() + b"12345")
    struct.pack_into("<Q", data, 16, len(data))
    seal(data)
    (tmp_path / "x.mirl").write_bytes(data)
    with pytest.raises(weightfile.DamagedFile, match="5 bytes behind"):
        weightfile.read(tmp_path / "x.mirl")


@pytest.mark.parametrize("place, value, reason", [(4, 2**32 - 1, "cells"), (4, 7, "cells"), (64, 70, "outside")])
def test_places_outside_their_cell_are_refused(place, value, reason):
    # Two rows of 70 columns, three values in each.
    payload = bytearray(struct.pack("<3I52x6B58x6f", 0, 3, 6, 0, 2, 3, 4, 5, 69, *[1] * 6))

    def read():
        return weightfile.tensor(payload, (b"a", 1, 0, 2, 70, 6, 0, len(payload), weightfile.crc32c(payload)), {})

    assert read()[1].sum() == 6
    struct.pack_into("<I" if place < 64 else "<B", payload, place, value)
    with pytest.raises(weightfile.DamagedFile, match=reason):
        read()


@pytest.mark.parametrize("place", [0, 9, 40, 200, 60_000, 61_000, -1])
def test_a_changed_byte_is_refused(tmp_path, place):
    data = bytearray(LITE.read_bytes())
    data[place] ^= 1
    damaged = tmp_path / "damaged.mirl"
    damaged.write_bytes(data)
    with pytest.raises(weightfile.DamagedFile):
        weightfile.read(damaged)


@pytest.mark.parametrize("size", [0, 100, 5000, 600_000, -1])
def test_a_cut_file_is_refused(tmp_path, size):
    cut = tmp_path / "cut.mirl"
    cut.write_bytes(LITE.read_bytes()[:size])
    with pytest.raises(weightfile.DamagedFile):
        weightfile.read(cut)
