"""What becomes of the samples: of any format, as mirl-filter would have them."""
import array

import pyvips
from pictures import TestCase, greatest_difference, picture


class SameAsFilter(TestCase):
    """The bits are those of mirl-filter, which writes an upright picture."""

    def check(self, name):
        self.succeed("mirl-filter", "--task", "derain", "-o", "filter.png", name)
        restored = pyvips.Image.new_from_file(self.path(name)).mirl(task="derain")
        self.assert_same_pixels(restored.autorot(), pyvips.Image.new_from_file(self.path("filter.png")))

    def test_grey_and_colour_of_8_and_16_bits_with_and_without_alpha(self):
        for format in ["uchar", "ushort"]:
            for bands in [1, 2, 3, 4]:
                with self.subTest(format=format, bands=bands):
                    picture(bands=bands, format=format).write_to_file(self.path("in.png"))
                    self.check("in.png")

    def test_lossy_formats(self):
        for name in ["in.jpg", "in.webp"]:
            with self.subTest(name):
                picture().write_to_file(self.path(name))
                self.check(name)

    def test_inks_through_their_profile(self):
        for name in ["in.tif", "in.jpg"]:
            with self.subTest(name):
                picture().icc_export(output_profile="cmyk").write_to_file(self.path(name))
                self.check(name)

    def test_spaces_that_say_all(self):
        for space in ["lab", "labs", "scrgb", "xyz"]:
            with self.subTest(space):
                picture().colourspace(space).write_to_file(self.path("in.tif"))
                self.check("in.tif")

    def test_opaque_stays_opaque_whatever_the_space(self):
        for space in ["lab", "labs", "lch", "xyz", "yxy", "scrgb", "hsv"]:
            with self.subTest(space):
                restored = picture().bandjoin(255).colourspace(space).mirl()
                self.assertEqual((restored.bands, restored[3].min()), (4, 65535))

    def test_images_that_libvips_shares_stay_as_they_are(self):
        pyvips.cache_set_max(100)
        self.addCleanup(pyvips.cache_set_max, 0)
        profile = picture().icc_export(output_profile="srgb").get("icc-profile-data")
        lab = picture().colourspace("lab").copy()
        lab.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
        shared = lab.colourspace("rgb16")
        lab.mirl()
        self.assertIn("icc-profile-data", shared.get_fields())

    def test_every_orientation(self):
        for orientation in range(1, 9):
            with self.subTest(orientation):
                turned = picture().copy()
                turned.set_type(pyvips.GValue.gint_type, "orientation", orientation)
                turned.write_to_file(self.path("in.jpg"))
                self.check("in.jpg")

    def test_every_task_strength_and_thread_count(self):
        picture().write_to_file(self.path("in.png"))
        image = pyvips.Image.new_from_file(self.path("in.png"))
        for task in ["auto", "denoise", "derain", "dehaze"]:
            for strength in [0, 0.3, 1]:
                with self.subTest(task=task, strength=strength):
                    self.succeed("mirl-filter", "--task", task, "--strength", str(strength), "-o", "out.png", "in.png")
                    restored = image.mirl(task=task, strength=strength, threads=3)
                    self.assert_same_pixels(restored, pyvips.Image.new_from_file(self.path("out.png")))


class Formats(TestCase):
    def test_other_band_formats_hold_the_same_values(self):
        """All but 8 and 16 bits are restored as floats, so that a value may be rounded the other way."""
        image = picture().linear(0.4, 0).rint().cast("uchar")
        expected = image.mirl(task="denoise")
        for format in ["char", "short", "ushort", "int", "uint", "float", "double"]:
            with self.subTest(format):
                restored = image.cast(format).copy(interpretation="srgb").mirl(task="denoise")
                self.assertEqual((restored.format, restored.interpretation), (format, "srgb"))
                clipped = restored.rint() if format in ["float", "double"] else restored
                if format == "char":
                    expected = (expected > 127).ifthenelse(127, expected)
                self.assertLessEqual(greatest_difference(clipped, expected), 1)

    def test_floats_are_not_rounded(self):
        restored = picture().cast("float").mirl()
        self.assertGreater(greatest_difference(restored, restored.rint()), 0.3)

    def test_floats_of_16_bit_colour_have_its_range(self):
        image = picture(format="ushort")
        floats = image.cast("float").copy(interpretation="rgb16").mirl(task="dehaze")
        self.assertLessEqual(greatest_difference(floats, image.mirl(task="dehaze")), 0.6)
        self.assertGreater(floats.max(), 50000)

    def test_strength_0_changes_no_sample(self):
        samples = array.array("d", [-3, 0.1, 1 / 3, 254.9, 300, 1e9, 4294967295, 1e-300] * 36)
        image = pyvips.Image.new_from_memory(samples.tobytes(), 12, 8, 3, "double").copy(interpretation="srgb")
        for format in ["char", "short", "int", "uint", "float", "double"]:
            with self.subTest(format):
                self.assert_same_pixels(image.cast(format).mirl(strength=0), image.cast(format))

    def test_what_lies_beyond_white_is_blended_as_it_is(self):
        image = (picture() * 1.0 + 100).copy(interpretation="srgb")
        half = (image + image.mirl()) / 2
        self.assertGreater(half.max(), 255)
        self.assertLess(greatest_difference(image.mirl(strength=0.5), half), 1e-3)

    def test_colours_keep_their_kind(self):
        for bands in [1, 2, 3, 4]:
            for format in ["uchar", "ushort", "int"]:
                image = picture(bands=bands, format=format if format != "int" else "uchar").cast(format)
                restored = image.mirl()
                self.assertEqual(
                    (restored.bands, restored.format, restored.interpretation),
                    (image.bands, image.format, image.interpretation))

    def test_alpha_and_further_bands_pass_through(self):
        alpha = picture(bands=1, seed=2)
        for colours in [1, 3]:
            for others in [1, 2]:
                for format in ["uchar", "float", "int"]:
                    with self.subTest(colours=colours, others=others, format=format):
                        opaque = picture(bands=colours)
                        image = opaque.bandjoin([alpha] * others).cast(format)
                        image = image.copy(interpretation=opaque.interpretation)
                        passed = image.mirl().extract_band(colours, n=others)
                        self.assert_same_pixels(passed, image.extract_band(colours, n=others))

    def test_alpha_changes_no_colour(self):
        image = picture()
        self.assert_same_pixels(image.bandjoin(7).mirl().extract_band(0, n=3), image.mirl())

    def test_packed_floats_are_unpacked(self):
        image = picture().colourspace("scrgb")
        self.assert_same_pixels(image.float2rad().mirl(), image.float2rad().rad2float().mirl())

    def test_what_has_no_colours_is_refused(self):
        inks = picture(bands=5).copy(interpretation="multiband")
        self.assert_refused("not 5 bands of type uchar in multiband", inks.mirl)
        self.assert_refused("only grey and colour.* fourier", picture().fwfft().mirl)
        self.assert_refused("complex", picture().complexform(picture()).copy(interpretation="srgb").mirl)

    def test_what_is_too_large_is_refused_before_anything_is_computed(self):
        self.assert_refused("65536x1 pixels is too large", pyvips.Image.black(65536, 1).mirl)

    def test_pages_are_restored_one_by_one(self):
        pages = [picture(seed=seed) for seed in [1, 2, 3]]
        image = pyvips.Image.arrayjoin(pages, across=1).copy()
        image.set_type(pyvips.GValue.gint_type, "page-height", 24)
        for format in ["uchar", "int"]:
            alone = pyvips.Image.arrayjoin([page.cast(format).mirl() for page in pages], across=1)
            self.assert_same_pixels(image.cast(format).mirl(), alone)


class Metadata(TestCase):
    def test_all_is_kept(self):
        image = picture().icc_export(output_profile="srgb").copy(xres=5, yres=7)
        image.set_type(pyvips.GValue.gint_type, "orientation", 6)
        image.set_type(pyvips.GValue.gstr_type, "exif-ifd0-Artist", "Ada (Ada, ASCII, 4 components, 4 bytes)")
        image.set_type(pyvips.GValue.blob_type, "xmp-data", b"<x:xmpmeta/>")
        image.write_to_file(self.path("in.jpg"))
        before = pyvips.Image.new_from_file(self.path("in.jpg"))
        self.succeed("vips", "mirl", "in.jpg", "out.jpg")
        for after in [before.mirl(), pyvips.Image.new_from_file(self.path("out.jpg"))]:
            self.assertIn("icc-profile-data", before.get_fields())
            for field in before.get_fields():
                # The writer of JPEG has its own way to write down EXIF and the file's name.
                if field not in ["filename", "exif-data"]:
                    self.assertEqual(after.get(field), before.get(field), field)

    def test_inks_get_the_profile_of_their_new_colours(self):
        inks = picture().icc_export(output_profile="cmyk")
        restored = inks.mirl()
        self.assertEqual((restored.bands, restored.interpretation), (3, "srgb"))
        self.assertNotEqual(restored.get("icc-profile-data"), inks.get("icc-profile-data"))
