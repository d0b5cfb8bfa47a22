"""Batches are what they say, and depend on the seed and the step alone."""

import numpy as np
import pytest
import torch
from PIL import Image

import data
from data import (
    CLEAN, TASKS, Patches, Shape, add_haze, add_rain, blurred_streaks, brought_near, coarse_colour, curtains, drops,
    exposed, grey, line_streaks, lit_shower, noisy_pair, smooth_field, spray, white_specks,
)


def patches(root, seed=0, tasks=TASKS, clean_share=0):
    return Patches(root, lambda step: Shape(4, 16), seed, tasks, clean_share)


def test_batches_depend_on_the_seed_and_the_step_only(photos):
    first, again = patches(photos), patches(photos)
    forwards = [first[step] for step in range(4)]
    backwards = [again[step] for step in reversed(range(4))][::-1]
    for a, b in zip(forwards, backwards):
        assert torch.equal(a[0], b[0]) and torch.equal(a[1], b[1])
    assert not torch.equal(forwards[0][1], forwards[1][1])
    assert not torch.equal(forwards[0][1], patches(photos, seed=1)[0][1])


def test_global_random_state_does_not_matter(photos):
    one, two = patches(photos), patches(photos)
    np.random.seed(1), torch.manual_seed(1)
    a = one[5]
    np.random.seed(2), torch.manual_seed(2)
    assert torch.equal(a[0], two[5][0])


@pytest.mark.parametrize("task", TASKS)
def test_patches_are_in_range_and_differ_from_the_clean_ones(photos, task):
    for step in range(10):
        degraded, clean = patches(photos, tasks=(task,))[step]
        for image in (degraded, clean):
            assert image.shape == (4, 3, 16, 16) and image.dtype == torch.float32
            assert image.min() >= 0 and image.max() <= 1
        assert torch.allclose(degraded * 255, (degraded * 255).round(), atol=1e-3)  # 8 bits
        assert (degraded != clean).any()


def test_the_tasks_alternate_within_and_across_batches(photos):
    data = patches(photos)
    seen = []
    data.pair = lambda rng, task, size: (seen.append(task) or np.zeros((size, size, 3), np.float32),) * 2
    for step in range(3):
        data[step]
    assert seen == list(TASKS) * 4


@pytest.mark.parametrize("tasks", [TASKS, ("dehaze",), ("derain",)])
def test_a_share_of_the_patches_is_clean(photos, tasks):
    data = patches(photos, tasks=tasks, clean_share=0.25)
    seen = [data.tasks_at(step) for step in range(100)]
    assert 70 < sum(batch.count(CLEAN) for batch in seen) < 130  # of 400
    assert {task for batch in seen for task in batch} == {CLEAN, *tasks}
    for step in range(8):
        degraded, clean = data[step]
        same = [torch.equal(*pair) for pair in zip(degraded, clean)]
        assert all(same[i] for i, task in enumerate(seen[step]) if task == CLEAN)
        assert not any(same[i] for i, task in enumerate(seen[step]) if task == "dehaze")  # rain may miss a small patch
        assert torch.equal(degraded, patches(photos, tasks=tasks, clean_share=0.25)[step][0])


def test_clean_patches_take_turns_without_moving_the_others(photos):
    plain, some = patches(photos), patches(photos, clean_share=0.3)
    for step in range(20):
        assert all(b in (a, CLEAN) for a, b in zip(plain.tasks_at(step), some.tasks_at(step)))


def test_a_folder_without_photos_is_named(tmp_path):
    for folder in ("clean", "haze/target", "haze/depth"):
        (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(ValueError, match="clean: no photos"):
        patches(tmp_path)
    with pytest.raises(ValueError, match="target: no photos"):
        patches(tmp_path, tasks=("dehaze",))


def test_a_depth_map_of_another_size_than_its_photo_is_named(tmp_path):
    for folder, size in (("target", (48, 40)), ("depth", (40, 48))):
        (tmp_path / "haze" / folder).mkdir(parents=True)
        Image.new("L", size).convert("RGB").save(tmp_path / "haze" / folder / "a.png")
    with pytest.raises(ValueError, match="depth/a.png: not of the size of its photo"):
        patches(tmp_path, tasks=("dehaze",))


def test_photos_that_cannot_be_read_are_named(tmp_path):
    for folder in ("clean", "haze/target", "haze/depth"):
        (tmp_path / folder).mkdir(parents=True)
    Image.new("RGB", (40, 40)).save(tmp_path / "haze/target/a.png")
    Image.fromarray(np.full((40, 40), 4369, np.uint16)).save(tmp_path / "haze/depth/a.png")
    with pytest.raises(ValueError, match="depth/a.png: its samples have more than 8 bits"):
        patches(tmp_path, tasks=("dehaze",))
    Image.new("RGB", (40, 40)).save(tmp_path / "clean/b.jpg")
    whole = (tmp_path / "clean/b.jpg").read_bytes()
    (tmp_path / "clean/b.jpg").write_bytes(whole[:-200])
    with pytest.raises(OSError, match="clean/b.jpg: (?i:.*truncated)"):
        patches(tmp_path, tasks=("denoise",))


def test_clean_rainy_and_hazy_patches_are_compressed_as_often(photos, monkeypatch):
    def compressed(**options):
        shares = []
        monkeypatch.setattr(data, "as_8_bits", lambda rng, image, share=data.COMPRESSED: shares.append(share) or image)
        patches(photos, **options)[0]
        return set(shares)

    assert compressed(clean_share=1) == compressed(tasks=("derain",)) == compressed(tasks=("dehaze",)) == {0.5}


def test_blocks_of_compression_begin_anywhere():
    rng = np.random.default_rng(0)
    ramp = np.linspace(0.2, 0.8, 64, dtype=np.float32)[None, :, None].repeat(64, 0).repeat(3, 2)
    steps = np.zeros(8)
    for _ in range(200):
        across = np.abs(np.diff(data.as_8_bits(rng, ramp, 1.0)[..., 1], axis=1)).mean(0)
        steps[across[:56].reshape(7, 8).mean(0).argmax()] += 1
    assert (steps > 0).all()


def test_noise_comes_in_all_kinds():
    rng = np.random.default_rng(0)
    colours = np.array([0.2, 0.1, -0.1], np.float32)
    clean = np.float32(0.5) + smooth_field(rng, 32, 32)[..., None] * colours
    seen = {"alone": 0, "in part": 0, "grey": 0, "coarse": 0}
    for _ in range(400):
        noisy, target = noisy_pair(rng, clean)
        noise = (noisy - target).reshape(-1, 3)
        likeness = np.corrcoef(noise.T)[0, 1]
        if np.array_equal(target, clean):
            seen["alone" if abs(likeness) < 0.1 else "in part"] += 1
        elif np.ptp(target, axis=2).max() == 0:
            assert np.ptp(noisy, axis=2).max() == 0
            seen["grey"] += 1
        else:
            assert np.array_equal(target, coarse_colour(clean))
            seen["coarse"] += 1
    assert min(seen.values()) >= 20 and seen["alone"] >= 160


def test_coarse_colour_keeps_luma_and_halves_the_rest():
    rng = np.random.default_rng(0)
    image = rng.uniform(0.4, 0.6, (32, 32, 3)).astype(np.float32)
    coarse = coarse_colour(image)
    assert np.allclose(grey(coarse), grey(image), atol=1e-5)
    assert (coarse - grey(coarse)).std() < 0.6 * (image - grey(image)).std()
    assert np.allclose(coarse_colour(image[:1, :1].repeat(8, 0).repeat(8, 1)), image[0, 0], atol=1e-6)


def test_photos_smaller_than_a_patch_are_enlarged(photos):
    degraded, _ = Patches(photos, lambda step: Shape(6, 64), 0)[0]
    assert degraded.shape == (6, 3, 64, 64)


def test_patches_for_rain_are_mostly_upright(photos):
    some, rng = patches(photos), np.random.default_rng(0)
    ramp = np.repeat(np.arange(40, dtype=np.uint8)[:, None, None], 48, 1).repeat(3, 2)  # brighter further down

    def upright(turned):
        return sum((np.diff(some.crop(rng, ramp, None, 16, 0, turned)[0], axis=0) > 0).all() for _ in range(100))

    assert upright(0) == 100 and 60 < upright(0.3) < 90 and upright(1) < 40


def test_some_rain_falls_on_the_photo_as_it_is_and_some_brightens_it():
    photo = np.full((64, 64, 3), 0.3, np.float32)
    lifts = [np.median(add_rain(np.random.default_rng(seed), photo) - photo) for seed in range(200)]
    assert sum(lift == 0 for lift in lifts) > 50 and sum(lift > 0.02 for lift in lifts) > 50


def test_rain_of_every_blend_falls_on_dark_and_bright_photos():
    def lift(level, seed):
        photo = np.full((48, 48, 3), level, np.float32)
        return (add_rain(np.random.default_rng(seed), photo) - photo).mean()

    ratios = np.array([lift(0.6, seed) / lift(0.1, seed) for seed in range(100) if lift(0.1, seed) > 0.01])
    assert 0.15 < np.mean(np.abs(ratios - 0.4 / 0.9) < 0.05) < 0.5  # screened: the darker, the brighter it gets
    assert 0.2 < np.mean(ratios > 0.75) < 0.8  # added


@pytest.mark.parametrize("style", [line_streaks, white_specks, blurred_streaks, drops, spray, lit_shower, curtains])
def test_rain_brightens_and_depends_on_its_generator_alone(style):
    for seed in range(20):
        rain = style(np.random.default_rng(seed), 120, 160)
        assert rain.shape == (120, 160) and rain.dtype == np.float32
        assert rain.min() >= 0 and 0 < rain.max() < 3
        assert np.array_equal(rain, style(np.random.default_rng(seed), 120, 160))


def test_streaks_of_a_lit_shower_are_stronger_where_it_is_brighter():
    def agreement(rain):
        blocks = rain.reshape(16, 8, 16, 8)
        return np.corrcoef(blocks.mean((1, 3)).ravel(), blocks.std((1, 3)).ravel())[0, 1]

    assert np.median([agreement(lit_shower(np.random.default_rng(seed), 128, 128)) for seed in range(20)]) > 0.5


@pytest.mark.parametrize("side", [16, 64, 256])
def test_a_spray_has_as_much_contrast_in_patches_of_every_size(side):
    contrasts = [spray(np.random.default_rng(seed), side, side).std() for seed in range(40)]
    assert 0.011 < min(contrasts) and max(contrasts) < 0.081


def test_a_smooth_field_has_no_edges():
    for seed in range(20):
        field = smooth_field(np.random.default_rng(seed), 96, 128)
        assert field.shape == (96, 128) and field.min() >= 0 and field.max() <= 1
        assert np.abs(np.diff(field, axis=0)).max() < 0.1 and np.abs(np.diff(field, axis=1)).max() < 0.1


def test_a_sky_may_vanish_in_haze_and_what_is_nearer_does_not_lose_more_than_its_depth_says():
    clean, depth = np.zeros((4, 8, 3), np.float32), np.full((4, 8), 0.9, np.float32)
    clean[:, ::2] = 1
    depth[:2] = 1
    left = [np.ptp(add_haze(np.random.default_rng(seed), clean, depth), 1).mean(1) for seed in range(40)]
    sky, near = np.array(left)[:, 0], np.array(left)[:, 2]
    assert sky.min() < 0.01 and sky.max() > 0.3
    assert near.min() > np.exp(-0.22 * 10 * 0.9) / 2


def test_some_haze_begins_behind_what_is_near():
    depth = np.linspace(0.3, 1, 32 * 32, dtype=np.float32).reshape(32, 32)
    near = [brought_near(np.random.default_rng(seed), depth) for seed in range(60)]
    assert all(0 <= map.min() and map.max() <= 1 for map in near)
    assert 15 < sum(map.min() < 0.01 for map in near) < 45
    assert 3 < sum((map < 0.01).sum() > 16 for map in near)  # not only the nearest pixels, but a part of the picture


def test_an_exposure_changes_the_patch_and_what_it_should_be_alike():
    hazy, clean = np.full((4, 4, 3), 0.7, np.float32), np.full((4, 4, 3), 0.2, np.float32)
    pairs = [exposed(np.random.default_rng(seed), hazy, clean) for seed in range(60)]
    changed = [(a[0, 0, 0], b[0, 0, 0]) for a, b in pairs if a is not hazy]
    assert 8 < len(changed) < 24
    for bright, dark in changed:
        gamma = np.log(bright / dark) / np.log(0.7 / 0.2)
        assert 0.66 < gamma < 1.5 and 0.39 < bright / 0.7**gamma < 1.01


def test_every_kind_of_patch_comes_from_every_kind_of_photo(tmp_path):
    for folder, shade in (("clean", 60), ("haze/target", 180), ("haze/depth", 0)):
        (tmp_path / folder).mkdir(parents=True)
        Image.new("L", (40, 40), shade).save(tmp_path / folder / "a.png")
    for task in (*TASKS, CLEAN):
        pairs = [patches(tmp_path).pair(np.random.default_rng(seed), task, 16) for seed in range(60)]
        bright = np.mean([clean.mean() > 120 / 255 for _, clean in pairs])
        assert 0.1 < bright < 0.9, task
