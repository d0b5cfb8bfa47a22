"""How far outputs are from a reference: prints JSON, a line for each file.

    compare.py REFERENCE OUTPUT...

Files hold raw floats, single (.f32) or double (.f64) precision, 0..1 being the range of an image.
"""

import json
import sys
from pathlib import Path

import numpy as np


def read(path: str) -> np.ndarray:
    return np.fromfile(path, {".f32": np.float32, ".f64": np.float64}[Path(path).suffix]).astype(np.float64)


def main():
    reference, *outputs = sys.argv[1:]
    expected = read(reference)
    for path in outputs:
        difference = read(path) - expected
        mean_square = float(np.mean(difference**2))
        psnr = 10 * np.log10(1 / mean_square) if mean_square else None
        print(json.dumps({"psnr_db": psnr, "rms": mean_square**0.5, "largest": float(np.abs(difference).max())}))


if __name__ == "__main__":
    main()
