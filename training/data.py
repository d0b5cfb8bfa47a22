"""Degraded and clean patches, synthesised on the fly and fixed by (seed, step) alone.

Noise: clip(clean + sigma * randn, 0, 255) truncated to 8 bits (the paper's protocol); in half of the patches noise of
photos in grey, of cameras, whose channels it is alike in, of video, whose colour is coarser, or through JPEG.
Rain: streaks in the styles that the published sets use: drawn lines (Rain100L and Rain100H), specks drawn out and
screened (DID-MDN), and drops and curtains out of focus, dense spray and showers in uneven light (SIRR), light to heavy,
even or not, with a veil or a glow now and then.
Haze: I = J t + A (1 - t), t = exp(-beta 10 depth) (RESIDE), from photos with a depth map.
A share of the patches may be clean, to be left as they are.
Images are uint8 arrays (height, width, 3); patches float32 0..1 (3, size, size).
"""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy import ndimage
from torch.utils.data import Dataset

TASKS = ("denoise", "derain", "dehaze")
CLEAN = "clean"  # what a patch has instead of a task when nothing is wrong with it
SIGMAS = (15, 25, 50)
PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}


def load_photo(path: Path) -> np.ndarray:
    return load(path, "RGB")


def load(path: Path, mode: str) -> np.ndarray:
    """The image as 8-bit samples of a mode that Pillow knows."""
    try:
        with Image.open(path) as image:
            if image.mode.startswith(("I", "F")):  # Pillow would clip them
                raise ValueError(f"{path}: its samples have more than 8 bits")
            return np.asarray(image.convert(mode))
    except OSError as error:
        raise OSError(f"{path}: {error.strerror or error}")


def photos(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in PHOTO_SUFFIXES)


# Degradations: (rng, clean float32 0..1) -> degraded float32 0..1


def add_noise(rng, clean: np.ndarray, sigma: float) -> np.ndarray:
    noisy = clean * 255 + sigma * rng.standard_normal(clean.shape, dtype=np.float32)
    return np.floor(noisy.clip(0, 255)) / np.float32(255)


def noisy_pair(rng, clean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A patch with noise, and what is to become of it. A network that has seen only noise that differs from channel to
    channel takes what all channels share for the picture."""
    kind = rng.random()
    if kind < 0.5:
        return add_noise(rng, clean, rng.choice(SIGMAS)), clean
    sigma = np.exp(rng.uniform(np.log(5), np.log(50))).astype(np.float32)
    noise, shared = (rng.standard_normal((*clean.shape[:2], n), dtype=np.float32) for n in (3, 1))
    if kind < 0.65:
        clean, share = grey(clean), np.float32(1)
    else:
        share = np.float32(rng.random() if kind < 0.8 else 0)
    noise = np.sqrt(1 - share) * noise + np.sqrt(share) * shared
    noisy = (clean + sigma / 255 * noise).clip(0, 1)
    if 0.8 < kind < 0.9:
        clean, noisy = coarse_colour(clean), coarse_colour(noisy)
    return as_8_bits(rng, noisy, 1.0 if kind > 0.9 else 0.0), clean


LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # BT.601


def grey(image: np.ndarray) -> np.ndarray:
    return np.repeat((image @ LUMA)[..., None], 3, 2)


def coarse_colour(image: np.ndarray) -> np.ndarray:
    """As video and most JPEG files have it (4:2:0): luma as it is, the rest at half the resolution. Sides are even."""
    luma = grey(image)
    height, width = image.shape[:2]

    def coarse(channel):
        half = Image.fromarray(channel).resize((width // 2, height // 2), Image.Resampling.BOX)
        return np.asarray(half.resize((width, height), Image.Resampling.BILINEAR))

    return (luma + np.stack([coarse(c) for c in np.moveaxis(image - luma, 2, 0)], 2)).clip(0, 1)


def line_streaks(rng, height: int, width: int) -> np.ndarray:
    """Separate thin lines of one direction (several in heavy rain), a little blurred; at times some are nearer than
    others and out of focus, broad and faint."""
    angle = rng.uniform(-0.9, 0.9)
    length, thickness = rng.uniform(8, 60), np.exp(rng.uniform(np.log(0.6), np.log(4.5)))
    density = np.exp(rng.uniform(np.log(0.0004), np.log(0.012)))  # streaks per pixel
    brightness, jitter = np.exp(rng.uniform(np.log(0.1), np.log(0.95))), rng.uniform(0, 0.08)
    depth = rng.uniform(1, 6) if rng.random() < 0.3 else 1.0
    rain = np.zeros((height, width), np.float32)
    margin = length
    for _ in range(max(1, int(density * (height + margin) * (width + margin) * 10 / length))):
        direction = angle + jitter * rng.standard_normal()
        half = length * rng.uniform(0.5, 1.2) / 2
        spread = depth ** rng.random()
        dx, dy = np.sin(direction), np.cos(direction)
        cx, cy = rng.uniform(-margin / 2, width + margin / 2), rng.uniform(-margin / 2, height + margin / 2)
        reach = thickness * spread / 2 + 1
        reach_x, reach_y = abs(dx) * half + reach, abs(dy) * half + reach
        x0, x1 = max(0, int(cx - reach_x)), min(width, int(cx + reach_x) + 1)
        y0, y1 = max(0, int(cy - reach_y)), min(height, int(cy + reach_y) + 1)
        if x0 >= x1 or y0 >= y1:
            continue
        y, x = np.ogrid[y0:y1, x0:x1]
        along, across = (x - cx) * dx + (y - cy) * dy, (x - cx) * dy - (y - cy) * dx
        shape = np.clip(half + 0.5 - np.abs(along), 0, 1) * np.clip(thickness * spread / 2 + 0.5 - np.abs(across), 0, 1)
        light = brightness * rng.uniform(0.5, 1) / spread
        rain[y0:y1, x0:x1] = np.maximum(rain[y0:y1, x0:x1], shape * np.float32(light))
    if rng.random() < 0.6:
        rain = ndimage.gaussian_filter(rain, rng.uniform(0.3, 0.9))
    return rain


def white_specks(rng, height: int, width: int) -> np.ndarray:
    """White specks or noise drawn out along one direction: the rain that photo editors make, as DID-MDN's. It brightens
    a picture by 5 to 80 of 255, and varies the less from place to place the more it is, as measured there."""
    size = wide_enough(height, width)
    mean = np.exp(rng.uniform(np.log(5), np.log(80))) / 255
    contrast = 0.48 * (57 / 255 / mean) ** 0.33 * np.exp(0.15 * rng.standard_normal())
    if rng.random() < 0.5:
        specks = (rng.random((size, size), np.float32) < rng.uniform(0.06, 0.2)).astype(np.float32)
    else:
        specks = rng.standard_normal((size, size), dtype=np.float32)
    specks = drawn_out(specks, int(rng.integers(8, 22)), rng.uniform(0, 0.9), rng.uniform(-50, 50), height, width)
    rain = np.maximum(1 + np.float32(contrast) * standard(specks), 0)
    return (rain * (mean / rain.mean())).astype(np.float32)


def blurred_streaks(rng, height: int, width: int) -> np.ndarray:
    """Noise blurred along one direction, dense or with streaks apart."""
    size = wide_enough(height, width)
    length, blur = int(np.exp(rng.uniform(np.log(4), np.log(70)))), rng.uniform(0, 1.3)
    noise = rng.standard_normal((size, size), dtype=np.float32)
    if rng.random() < 0.5:  # only the strongest specks: streaks stand apart
        noise = np.maximum(noise - rng.uniform(0, 2.2), 0)
    noise = drawn_out(noise, length, blur, rng.uniform(-50, 50), height, width)
    contrast = np.exp(rng.uniform(np.log(0.015), np.log(0.14)))
    return brightness(noise, contrast, rng.uniform(-1, 2.2) * contrast)


def drops(rng, height: int, width: int) -> np.ndarray:
    """Short streaks out of focus, from a few apart to many upon each other."""
    size = wide_enough(height, width)
    density = np.exp(rng.uniform(np.log(0.0004), np.log(0.03)))  # drops per pixel
    specks = np.where(rng.random((size, size)) < density, rng.uniform(0.3, 1, (size, size)), 0).astype(np.float32)
    specks = drawn_out(specks, int(rng.integers(2, 16)), rng.uniform(0.7, 2.5), rng.uniform(-40, 40), height, width)
    brightest = np.quantile(specks, 0.998) + 1e-3  # but for the few that lie upon others; not 0 where there are none
    return np.minimum(specks / brightest, 1.5) * np.float32(np.exp(rng.uniform(np.log(0.06), np.log(0.5))))


def spray(rng, height: int, width: int) -> np.ndarray:
    """Many small drops of several sizes in clumps, most of them faint and few bright: a dense shower near the lens, often
    from a video."""
    size, angle = wide_enough(height, width), rng.uniform(-30, 30)
    rain = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        density = np.exp(rng.uniform(np.log(0.015), np.log(0.4)))  # drops per pixel
        specks = rng.standard_exponential((size, size), np.float32) ** np.float32(rng.uniform(0.4, 1.5))
        specks[rng.random((size, size)) >= density] = 0
        length, blur = int(rng.integers(3, 14)), rng.uniform(0.1, 1.3)
        layer = drawn_out(specks, length, blur, angle + 6 * rng.standard_normal(), height, width)
        rain += layer / (layer.std() + np.float32(1e-6))
    clumps = standard(ndimage.gaussian_filter(rng.standard_normal((height, width), np.float32), rng.uniform(6, 30)))
    rain *= np.exp(np.float32(rng.uniform(0, 0.6)) * clumps)
    if rng.random() < 0.6:
        rain = compressed(rain, int(rng.integers(15, 60)))
    return rain / (rain.std() + np.float32(1e-6)) * np.float32(np.exp(rng.uniform(np.log(0.012), np.log(0.08))))


def compressed(rain: np.ndarray, quality: int) -> np.ndarray:
    """As JPEG leaves it, and video: what is faint disappears block by block."""
    top = np.quantile(rain, 0.999) + np.float32(1e-6)
    stored = io.BytesIO()
    Image.fromarray((np.minimum(rain / top, 1) * 255).astype(np.uint8)).save(stored, "JPEG", quality=quality)
    return np.asarray(Image.open(stored)).astype(np.float32) / 255 * top


def lit_shower(rng, height: int, width: int) -> np.ndarray:
    """Dense rain in uneven light, faint streaks on a glow that is several times as bright as they are."""
    size, angle = wide_enough(height, width), rng.uniform(-30, 30)
    noise = rng.standard_normal((size, size), dtype=np.float32)
    streaks = drawn_out(noise, int(rng.integers(6, 70)), rng.uniform(0.3, 1.5), angle, height, width)
    light = rng.uniform(0.12, 0.55) * smooth_field(rng, height, width) ** rng.uniform(0.8, 2.5)
    return light * brightness(streaks, np.exp(rng.uniform(np.log(0.1), np.log(0.3))), 1)


def curtains(rng, height: int, width: int) -> np.ndarray:
    """Broad soft stripes of light, as of showers that are near and out of focus."""
    size = wide_enough(height, width)
    noise = rng.standard_normal((size, size), dtype=np.float32)
    noise = drawn_out(noise, int(rng.integers(40, 200)), rng.uniform(1.5, 8), rng.uniform(-25, 25), height, width)
    contrast = np.exp(rng.uniform(np.log(0.02), np.log(0.12)))
    return brightness(noise, contrast, rng.uniform(0, 2) * contrast)


def wide_enough(height: int, width: int) -> int:
    """The side of a square that covers an image of this size even when it is turned."""
    return int(1.5 * max(height, width)) + 4


def drawn_out(square: np.ndarray, length: int, blur: float, angle: float, height: int, width: int) -> np.ndarray:
    """The middle of a square blurred by `length` pixels along a direction, in degrees from upright, and by a Gaussian
    of `blur` pixels."""
    square = ndimage.uniform_filter1d(square, length, axis=0, mode="wrap")
    if blur > 0.3:
        square = ndimage.gaussian_filter(square, blur, mode="wrap")
    if abs(angle) > 3:
        square = ndimage.rotate(square, angle, reshape=False, order=1, mode="wrap")
    top, left = (len(square) - height) // 2, (len(square) - width) // 2
    return square[top : top + height, left : left + width]


def brightness(noise: np.ndarray, contrast: float, floor: float) -> np.ndarray:
    """Noise as light, of a standard deviation `contrast` about `floor`: how much rain brightens between its streaks."""
    return np.maximum(standard(noise) * contrast + floor, 0).astype(np.float32)


def standard(noise: np.ndarray) -> np.ndarray:
    """Noise of mean 0 and standard deviation 1."""
    return (noise - noise.mean()) / (noise.std() + np.float32(1e-6))


def smooth_field(rng, height: int, width: int) -> np.ndarray:
    """0..1, varying over an image of which this is the whole or a part."""
    coarse = rng.random(rng.integers(2, 5, 2)).astype(np.float32)
    part = rng.uniform(0.2, 1)
    left, top = ((1 - part) * rng.random() * side for side in coarse.shape[::-1])
    box = (left, top, left + part * coarse.shape[1], top + part * coarse.shape[0])
    field = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC, box)
    return np.asarray(field).clip(0, 1)


@dataclass(frozen=True)
class RainStyle:
    """How rain is drawn, and how often (0..1) of what else there is with it."""

    share: float  # of all rain
    draw: Callable  # (rng, height, width) -> brightness
    uneven: float = 0.2  # here more, there less
    glow: float = 0.2  # light that the rain scatters
    veiled: float = 0.1  # a veil of distant rain
    screened: float = 0.1  # r + (1 - r) clean, as photo editors do it and DID-MDN: the darker, the brighter it gets


def showers(rng, height: int, width: int) -> np.ndarray:
    return sum(line_streaks(rng, height, width) for _ in range(int(rng.integers(2, 5))))


def near_and_far(rng, height: int, width: int) -> np.ndarray:
    return line_streaks(rng, height, width) + blurred_streaks(rng, height, width)


def behind_curtains(rng, height: int, width: int) -> np.ndarray:
    return curtains(rng, height, width) + rng.choice([blurred_streaks, drops])(rng, height, width)


# One layer of lines falls on the photo as it is, several have a veil, other styles often brighten the whole. Drawn-out
# specks are mostly screened, other styles mostly added, as in Rain100L and SIRR.
RAIN = (
    RainStyle(0.36, line_streaks, uneven=0.1, glow=0.03, veiled=0.03),
    RainStyle(0.18, showers, uneven=0.1, glow=0.05, veiled=0.5),
    RainStyle(0.13, white_specks, uneven=0.1, glow=0.02, veiled=0.02, screened=0.97),
    RainStyle(0.04, blurred_streaks, screened=0.4),
    RainStyle(0.05, drops),
    RainStyle(0.11, spray, uneven=0.4, glow=0.1),
    RainStyle(0.04, near_and_far, screened=0.4),
    RainStyle(0.04, lit_shower, uneven=0, glow=0.1),
    RainStyle(0.05, behind_curtains, uneven=0.6, glow=0.5),
)


def add_rain(rng, clean: np.ndarray) -> np.ndarray:
    """A photo (height, width, 3) of 0..1 in rain of one of the styles."""
    height, width = clean.shape[:2]
    style = RAIN[np.searchsorted(np.cumsum([style.share for style in RAIN[:-1]]), rng.random(), "right")]
    rain = style.draw(rng, height, width)
    if rng.random() < style.uneven:
        rain = rain * (rng.uniform(0, 0.5) + smooth_field(rng, height, width))
    if rng.random() < style.glow:
        rain = rain + rng.uniform(0.03, 0.4) * smooth_field(rng, height, width) ** rng.uniform(0.7, 2.5)
    rain = np.minimum(rain, 1)[..., None].astype(np.float32)
    if rng.random() < 0.25:  # rain has the colour of the sky
        rain = rain * rng.uniform(0.85, 1.2, 3).astype(np.float32)
    if rng.random() < style.veiled:
        veil = np.exp(rng.uniform(np.log(0.015), np.log(0.35)))
        clean = clean * (1 - veil) + veil * rng.uniform(0.5, 0.95)
    rainy = clean + rain * (1 - clean) if rng.random() < style.screened else clean + rain
    return rainy.clip(0, 1)


def add_haze(rng, clean: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """`depth` is (height, width), 0 near to 1 far."""
    beta = rng.uniform(0.06, 0.22)
    if rng.random() < 0.8:
        light = rng.uniform(0.75, 1) + rng.uniform(-0.02, 0.02, 3)
    else:  # at dusk, under clouds, of smoke or sand
        light = rng.uniform(0.4, 0.9) + rng.uniform(-0.06, 0.06, 3)
    t = np.exp(-beta * 10 * depth)[..., None].astype(np.float32)
    if rng.random() < 0.5:  # a sky is further away than any map of depths says
        t = t * np.exp(-rng.uniform(0, 4) * ((depth[..., None] - 0.9) / 0.1).clip(0, 1)).astype(np.float32)
    if rng.random() < 0.5:  # haze is brighter and of another colour towards the sun: no reason to see shapes in it
        towards_sun = smooth_field(rng, *depth.shape)[..., None]
        light = light + towards_sun * (rng.uniform(-0.08, 0.08) + rng.uniform(-0.025, 0.025, 3))
    return (clean * t + light.astype(np.float32) * (1 - t)).clip(0, 1)


def made_up_depth(rng, height: int, width: int) -> np.ndarray:
    """The higher up, the further away, and uneven: of photos whose depth nobody has measured."""
    up = np.linspace(1, 0, height, dtype=np.float32)[:, None]
    depth = rng.uniform(0, 0.6) + rng.uniform(0, 0.6) * up + rng.uniform(0, 0.5) * smooth_field(rng, height, width)
    return depth.clip(0, 1).astype(np.float32)


def brought_near(rng, depth: np.ndarray) -> np.ndarray:
    """Depth maps have few things so near that no haze lies before them; without those, black would always mean clear
    air, though there may be haze behind."""
    if rng.random() < 0.4:
        depth = (depth - depth.min()) / (1 - depth.min() + 1e-3)
    if rng.random() < 0.2:
        depth = np.where(smooth_field(rng, *depth.shape) > rng.uniform(0.5, 0.9), 0, depth)
    return depth.astype(np.float32)


def exposed(rng, *images: np.ndarray) -> list[np.ndarray]:
    """The images as a shorter exposure and another gradation might have made them, in a quarter of the cases."""
    if rng.random() < 0.75:
        return list(images)
    gain, gamma = np.exp(rng.uniform(np.log(0.4), 0)), np.exp(rng.uniform(-0.4, 0.4))
    return [(image**gamma * gain).astype(np.float32) for image in images]


def other_tones(rng, photo: np.ndarray) -> np.ndarray:
    """The photo as another exposure, camera or light might have made it."""
    gains = rng.uniform(0.93, 1.07, 3) * rng.uniform(0.8, 1.05)
    return (photo ** np.exp(rng.uniform(-0.45, 0.45)) * gains).clip(0, 1).astype(np.float32)


# Of the patches of whatever kind but noise, else compression would tell what kind they are.
COMPRESSED = 0.5


def as_8_bits(rng, image: np.ndarray, compress: float = COMPRESSED) -> np.ndarray:
    """Rounds to 8 bits as files do, through JPEG in a share `compress` of the cases, its blocks beginning anywhere."""
    pixels = np.round(image * 255).astype(np.uint8)
    if rng.random() < compress:
        top, left = rng.integers(16, size=2)
        pixels = np.pad(pixels, ((top, 0), (left, 0), (0, 0)), "edge")
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=int(rng.integers(60, 99)))
        pixels = np.asarray(Image.open(buffer))[top:, left:]
    return pixels.astype(np.float32) / 255


# Patches


@dataclass(frozen=True)
class Shape:
    """What a batch looks like: `count` patches of `size` x `size` pixels."""

    count: int = 8
    size: int = 64


class Patches(Dataset):
    """Item i is the batch of step i: (degraded, clean), each float32 (count, 3, size, size)."""

    def __init__(
        self, root: Path, shape_at: Callable[[int], Shape], seed: int, tasks: tuple[str, ...] = TASKS,
        clean_share: float = 0,
    ):
        clean, haze = root / "clean", root / "haze"
        self.shape_at, self.seed, self.tasks, self.clean_share = shape_at, seed, tasks, clean_share
        with ThreadPoolExecutor() as pool:
            self.clean = list(pool.map(load_photo, photos(clean) if clean.is_dir() else []))
        self.hazy = []
        if "dehaze" in tasks:
            for path in photos(haze / "target"):
                photo, map_path = load_photo(path), haze / "depth" / f"{path.stem}.png"
                depth = load(map_path, "L")
                if depth.shape != photo.shape[:2]:
                    raise ValueError(f"{map_path}: not of the size of its photo {path}")
                self.hazy.append((photo, depth))
        if set(tasks) - {"dehaze"} and not self.clean:
            raise ValueError(f"{clean}: no photos")
        if "dehaze" in tasks and not self.hazy:
            raise ValueError(f"{haze / 'target'}: no photos")

    def __getitem__(self, step: int):
        rng, shape = np.random.default_rng((self.seed, step)), self.shape_at(step)
        pairs = [self.pair(rng, task, shape.size) for task in self.tasks_at(step)]
        return tuple(self.batch(side) for side in zip(*pairs))

    @staticmethod
    def batch(images) -> torch.Tensor:
        """Images as one tensor, channels before rows."""
        stacked = np.stack(images, dtype=np.float32, casting="same_kind").transpose(0, 3, 1, 2)
        return torch.from_numpy(np.ascontiguousarray(stacked))

    def tasks_at(self, step: int) -> list[str]:
        """The tasks of the patches of a step: all in turn, from batch to batch, but a share of them CLEAN."""
        count = self.shape_at(step).count
        spared = np.random.default_rng((self.seed, step, 1)).random(count) < self.clean_share
        turns = range(step * count, (step + 1) * count)
        return [CLEAN if spare else self.tasks[i % len(self.tasks)] for i, spare in zip(turns, spared)]

    def any_photo(self, rng) -> np.ndarray:
        """Those with depth maps too, or it would be told by the kind of photo whether it is clean."""
        number = rng.integers(len(self.clean) + len(self.hazy))
        return self.clean[number] if number < len(self.clean) else self.hazy[number - len(self.clean)][0]

    def pair(self, rng, task: str, size: int):
        if task == CLEAN:
            photo, _ = self.crop(rng, self.any_photo(rng), None, size, shrink=0.4)
            image = as_8_bits(rng, *exposed(rng, photo))
            return image, image
        if task == "dehaze":
            if self.clean and rng.random() < 0.25:
                clean, _ = self.crop(rng, self.clean[rng.integers(len(self.clean))], None, size, shrink=0.6)
                depth = made_up_depth(rng, size, size)
            else:
                photo, depth = self.hazy[rng.integers(len(self.hazy))]
                clean, depth = self.crop(rng, photo, depth, size, shrink=0.6)
            if rng.random() < 0.6:  # or the few scenes' tones are learned
                clean = other_tones(rng, clean)
            hazy, clean = exposed(rng, add_haze(rng, clean, brought_near(rng, depth)), clean)
            return as_8_bits(rng, hazy), clean
        turned = 0.3 if task == "derain" else 1
        clean, _ = self.crop(rng, self.any_photo(rng), None, size, shrink=0.2, turned=turned)
        if task == "derain":
            rainy, clean = exposed(rng, add_rain(rng, clean), clean)
            return as_8_bits(rng, rainy), clean
        return noisy_pair(rng, clean)

    def crop(self, rng, photo, depth, size: int, shrink: float, turned: float = 1):
        """A random square, made smaller first in a share `shrink` of the cases, turned by any right angle in a share
        `turned` (rain falls on photos that are upright), and flipped.

        A photo that is smaller than the patch is enlarged. `photo` is (height, width, 3), `depth` (height, width) or
        None, both of 0..255; the results are `size` pixels wide and high, of 0..1.
        """
        limit = min(photo.shape[:2])
        side = min(limit, int(size * rng.uniform(1, 4)) if rng.random() < shrink else size)
        top, left = (rng.integers(0, n - side + 1) for n in photo.shape[:2])
        turns = rng.integers(4) if rng.random() < turned else 0
        flip = rng.random() < 0.5

        def cut(image):
            square = image[top : top + side, left : left + side]
            if side != size:
                square = np.asarray(Image.fromarray(square).resize((size, size), Image.Resampling.BOX))
            square = np.rot90(square, turns)
            return (square[:, ::-1] if flip else square).astype(np.float32) / 255

        return cut(photo), None if depth is None else cut(depth)
