"""Reads a `.mirl` weight file with nothing but numpy, as the manual page mirl-weights(5) describes it."""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MAGIC = b"\x89MIRL\r\n\x1a"
HEADER = struct.Struct("<8sIIQIII4II4IIId3I3II12x")  # 128 bytes
RECORD = struct.Struct("<56sHHIIIQQI4x")  # 96 bytes
VERSION = 2
VALUES = {0: np.dtype("<f4"), 1: np.dtype("<f2"), 2: np.dtype("i1")}
INT8 = 2
CELL = 256  # columns at most
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
    if magic != MAGIC or version != VERSION or header_size != HEADER.size:
        raise DamagedFile(f"{path}: not a weight file of version {VERSION}")
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
    tensors, provenance = {}, data[text:end].decode()
    for record in records:
        offset, length = record[6:8]
        if offset < end or any(data[end:offset]):
            raise DamagedFile(f"{path}: a gap before byte {offset} is not zero")
        name, matrix = tensor(data, record, sizes)
        tensors[name], end = matrix, offset + length
    if end != size:
        raise DamagedFile(f"{path}: {size - end} bytes behind the last payload")
    return WeightFile(network, tensors, provenance)


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
    if encoding not in (0, 1) or value_type not in VALUES:
        raise DamagedFile(f"{name}: unknown encoding {encoding} or type of values {value_type}")
    cells = -(-columns // CELL)  # of a row
    starts_end = aligned(4 * (rows * cells + 1))
    place = aligned(starts_end + count) if encoding else 0
    values = numbers(payload[place:], value_type, count, sizes[name] ** 2 if name in sizes else max(count, 1))
    if encoding == 0:
        return name, values.reshape(rows, columns)
    starts = np.frombuffer(payload, "<u4", rows * cells + 1)
    lengths = np.diff(starts.astype(np.int64))
    if starts[0] != 0 or (lengths < 0).any() or starts[-1] != count:
        raise DamagedFile(f"{name}: cells do not follow one another to the end")
    row, cell = np.divmod(np.repeat(np.arange(rows * cells), lengths), cells)
    width = -(-columns // cells)
    within = np.frombuffer(payload, "u1", count, starts_end)
    if (within >= np.minimum(width, columns - width * cell)).any():
        raise DamagedFile(f"{name}: a column outside its cell")
    matrix = np.zeros((rows, columns), np.float32)
    matrix[row, width * cell + within] = values
    return name, matrix


def numbers(payload: bytes, value_type: int, count: int, group: int) -> np.ndarray:
    """The values of a payload; those of 8 bits share a scale and an offset with the rest of their group."""
    if value_type != INT8:
        return np.frombuffer(payload, VALUES[value_type], count).astype(np.float32)
    steps = np.frombuffer(payload, "<f4", max(1, count // group) * 2).reshape(-1, 2)
    values = np.frombuffer(payload, "i1", count, aligned(steps.nbytes)).reshape(len(steps), -1)
    return (steps[:, 1:] + steps[:, :1] * values).ravel()


def aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
