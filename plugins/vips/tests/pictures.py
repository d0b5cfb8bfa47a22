"""Small pictures, and the programs that restore them."""
import os
import random
import subprocess
import tempfile
import unittest

import pyvips

# Files are written anew under the same names, which libvips' cache of operations would not see.
pyvips.cache_set_max(0)

SAMPLE_BYTES = {"char": 1, "uchar": 1, "short": 2, "ushort": 2, "int": 4, "uint": 4}


def picture(width=40, height=24, bands=3, format="uchar", seed=1):
    """Noise: every sample has any value from 0 to 255, or to 65535 with 16 bits."""
    size = width * height * bands * SAMPLE_BYTES[format]
    data = random.Random(seed).randbytes(size)
    image = pyvips.Image.new_from_memory(data, width, height, bands, format)
    deep, grey = format == "ushort", bands < 3
    space = ("grey16" if deep else "b-w") if grey else ("rgb16" if deep else "srgb")
    return image.copy(interpretation=space)


def greatest_difference(one, other):
    return (one - other).abs().max()


class TestCase(unittest.TestCase):
    """A test in an empty folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_command(self, *command, **environment):
        """What the command came to, run in the folder, with these variables added to its environment."""
        environment = {**os.environ, **environment}
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)

    def succeed(self, *command, **environment):
        outcome = self.run_command(*command, **environment)
        self.assertEqual((outcome.returncode, outcome.stderr), (0, ""), command)
        return outcome.stdout

    def assert_same_pixels(self, one, other):
        for facts in ["width", "height", "bands", "format"]:
            self.assertEqual(getattr(one, facts), getattr(other, facts), facts)
        self.assertEqual(greatest_difference(one, other), 0)

    def assert_refused(self, message, function, *arguments, **options):
        with self.assertRaisesRegex(pyvips.Error, message):
            function(*arguments, **options)
