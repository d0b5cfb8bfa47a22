"""Classical methods that need no training: what a user would take instead of a network.

A method takes an image, float32 (height, width, 3) 0..1, and the standard deviation of its noise in the same units,
which the noise filters alone use, and gives back an image of the same kind. The noise filters are told the true one;
the network is not.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.restoration import denoise_nl_means


def non_local_means(image: np.ndarray, sigma: float) -> np.ndarray:
    """Buades et al. 2005, by scikit-image with the settings that its documentation recommends for a known sigma."""
    options = {"patch_size": 5, "patch_distance": 6, "fast_mode": True, "channel_axis": -1}
    return denoise_nl_means(image, h=0.8 * sigma, sigma=sigma, **options)


def bm3d(image: np.ndarray, sigma: float) -> np.ndarray:
    """Dabov et al. 2007, by its authors' package `bm3d`, which is free for non-commercial use only."""
    from bm3d import bm3d as bm3d_grey, bm3d_rgb

    if (np.ptp(image, axis=2) == 0).all():  # in grey there is no chroma, by whose range bm3d_rgb divides
        return np.repeat(bm3d_grey(image[..., 0], sigma)[..., None], 3, 2).clip(0, 1).astype(np.float32)
    return bm3d_rgb(image, sigma).clip(0, 1).astype(np.float32)


def median(image: np.ndarray, sigma: float = 0) -> np.ndarray:
    """Each channel's median over 3x3 pixels."""
    return ndimage.median_filter(image, (3, 3, 1))


def guided_filter(image: np.ndarray, guide: np.ndarray, radius: int, eps: float) -> np.ndarray:
    """Smooths (height, width) along the edges of a grey guide (He et al. 2010, equations 5, 6 and 8)."""

    def mean(values):
        return ndimage.uniform_filter(values, 2 * radius + 1, mode="nearest")

    of_guide, of_image = mean(guide), mean(image)
    slope = (mean(guide * image) - of_guide * of_image) / (mean(guide * guide) - of_guide**2 + eps)
    return mean(slope) * guide + mean(of_image - slope * of_guide)


def guided_streaks(image: np.ndarray, sigma: float = 0) -> np.ndarray:
    """Each channel smoothed with itself as the guide: fine streaks go, strong edges stay."""
    channels = [guided_filter(c, c, radius=2, eps=0.01) for c in image.transpose(2, 0, 1).astype(np.float64)]
    return np.stack(channels, -1).clip(0, 1).astype(np.float32)


def dark_channel(image: np.ndarray, size: int = 15) -> np.ndarray:
    """The darkest channel of the darkest pixel around each: about 0 where there is no haze (He et al. 2009, eq. 5)."""
    return ndimage.minimum_filter(image.min(-1), size, mode="nearest")


def dark_channel_prior(image: np.ndarray, sigma: float = 0) -> np.ndarray:
    """He et al. 2009 (CVPR), with the guided filter of 2010 for the matting, and its authors' constants.

    The air's light is the brightest pixel among the 0.1% that are haziest by the dark channel, the transmission
    1 - 0.95 of the dark channel of the image in units of that light, at least 0.1.
    """
    image = image.astype(np.float64)
    dark = dark_channel(image).ravel()
    haziest = np.argsort(dark, kind="stable")[-max(1, dark.size // 1000) :]
    candidates = image.reshape(-1, 3)[haziest]
    light = candidates[candidates.sum(-1).argmax()].clip(1e-3)
    t = guided_filter(1 - 0.95 * dark_channel(image / light), image.mean(-1), radius=60, eps=1e-4)
    return ((image - light) / t.clip(0.1, 1)[..., None] + light).clip(0, 1).astype(np.float32)


@dataclass(frozen=True)
class Method:
    title: str
    task: str
    restore: Callable[[np.ndarray, float], np.ndarray]

    def __call__(self, image: np.ndarray, sigma: float) -> np.ndarray:
        return self.restore(image, sigma)


METHODS = {
    "nlm": Method("non-local means", "denoise", non_local_means),
    "bm3d": Method("BM3D", "denoise", bm3d),
    "median": Method("median 3x3", "derain", median),
    "guided": Method("guided filter", "derain", guided_streaks),
    "dark-channel": Method("dark channel prior", "dehaze", dark_channel_prior),
}
