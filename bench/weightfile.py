"""Reads a `.mirl` weight file with nothing but numpy, as the manual page mirl-weights(5) describes it."""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MAGIC = b"\x89MIRL\r\n\x1a"
HEADER = struct.Struct("<8sIIQIII4II4IIId3I3II12x")  # 128 bytes
RECORD = struct.Struct("<56sHHIIIQQI4x")  # 96 bytes
VALUES = {0: np.dtype("<f4"), 1: np.dtype("<f2")}
INT8 = 2  # prompts only
ALIGNMENT = 64
CHECKSUM = slice(28, 32)  # of header, records and provenance


def crc32c_table() -> list[int]:
    table = list(range(256))
    for _ in range(8):
        table = [crc >> 1 ^ 0x82F63B78 * (crc & 1) for crc in table]
    return table


TABLE = crc32c_table()


def crc32c(data: bytes) -> int:
    """CRC-32C (RFC 3720)."""
    crc, table = 0xFFFFFFFF, TABLE
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


@dataclass(frozen=True)
class WeightFile:
    architecture: dict  # the fields of training/network.py's Config
    tensors: dict[str, np.ndarray]  # rows x columns, fp32, zeros filled in
    provenance: str


class DamagedFile(ValueError):
    pass


def read(path: Path) -> WeightFile:
    """Reads and checks a file; DamagedFile says what is wrong with it."""
    data = Path(path).read_bytes()
    if len(data) < HEADER.size:
        raise DamagedFile(f"{path}: {len(data)} bytes, too short for a header")
    magic, version, header_size, size, count, checksum, width, *numbers = HEADER.unpack_from(data)
    if magic != MAGIC or version != 1 or header_size != HEADER.size:
        raise DamagedFile(f"{path}: not a weight file of version 1")
    text_size = numbers[-1]
    text = HEADER.size + count * RECORD.size
    end = text + text_size
    if size != len(data) or end > size:
        raise DamagedFile(f"{path}: {len(data)} bytes, but should have {max(size, end)}")
    if crc32c(data[: CHECKSUM.start] + bytes(4) + data[CHECKSUM.stop : end]) != checksum:
        raise DamagedFile(f"{path}: wrong checksum of the header, records and provenance")
    records = (RECORD.unpack_from(data, HEADER.size + i * RECORD.size) for i in range(count))
    network = architecture(width, numbers)
    sizes = {f"prompt{n}.prompt_param": size for n, size in enumerate(network["prompt_sizes"], 1)}
    tensors = dict(tensor(data, record, sizes) for record in records)
    return WeightFile(network, tensors, data[text:end].decode())


def architecture(width: int, numbers: list) -> dict:
    blocks, refinement, heads = numbers[0:4], numbers[4], numbers[5:9]
    prompt_heads, components, expansion = numbers[9:12]
    return {
        "width": width, "blocks": tuple(blocks), "refinement": refinement, "heads": tuple(heads),
        "prompt_heads": prompt_heads, "expansion": expansion, "prompt_channels": tuple(numbers[12:15]),
        "prompt_sizes": tuple(numbers[15:18]), "prompt_components": components,
    }  # fmt: skip


def tensor(data: bytes, record: tuple, sizes: dict[str, int]) -> tuple[str, np.ndarray]:
    """The name and the matrix of a record; `sizes` are the sides of the maps of prompts."""
    name, encoding, value_type, rows, columns, count, offset, length, checksum = record
    name = name.rstrip(b"\0").decode("ascii")
    payload = data[offset : offset + length]
    if len(payload) != length or crc32c(payload) != checksum:
        raise DamagedFile(f"{name}: wrong checksum")
    if encoding == 0 and value_type == INT8 and name in sizes:
        return name, quantized(payload, rows * columns, sizes[name] ** 2).reshape(rows, columns)
    if encoding not in (0, 1) or value_type not in VALUES:
        raise DamagedFile(f"{name}: unknown encoding {encoding} or type of values {value_type}")
    if encoding == 0:
        return name, np.frombuffer(payload, VALUES[value_type], count).astype(np.float32).reshape(rows, columns)
    place = aligned(4 * (rows + 1))
    starts = np.frombuffer(payload, "<u4", rows + 1)
    at = np.frombuffer(payload, "<u2", count, place)
    values = np.frombuffer(payload, VALUES[value_type], count, place + aligned(2 * count))
    matrix = np.zeros((rows, columns), np.float32)
    matrix[np.repeat(np.arange(rows), np.diff(starts)), at] = values
    return name, matrix


def quantized(payload: bytes, count: int, group: int) -> np.ndarray:
    """Values of 8 bits, each group of which shares a scale and an offset."""
    scales = np.frombuffer(payload, "<f4", count // group * 2).reshape(-1, 2)
    values = np.frombuffer(payload, "i1", count, aligned(scales.nbytes)).reshape(-1, group)
    return scales[:, 1:] + scales[:, :1] * values


def aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
