"""The examples of mirl-vips(7) do what they say."""
import os
import re
import subprocess
import sys

from pictures import TestCase, picture

MANUAL = os.path.abspath("man/mirl-vips.7")
README = os.path.abspath("README.md")
PROGRAM = "#include <vips/vips.h>\nint main(void) {\nif (VIPS_INIT(\"example\")) return 1;\n%s\n}\n"


def examples():
    with open(MANUAL) as file:
        section = file.read().split(".Sh EXAMPLES")[1].split(".Sh ")[0]
    return re.findall(r"\.Bd -literal.*\n((?:.*\n)*?)\.Ed", section)


class Manual(TestCase):
    def test_the_readme_s_examples_work(self):
        with open(README) as file:
            section = file.read().split("## From libvips\n")[1].split("\n## ")[0]
        for name in ["rainy.jpg", "hazy.jpg"]:
            picture(64, 48).write_to_file(self.path(name))
        shell = "\n".join(re.findall(r"^    (.*)", section, re.MULTILINE))
        [python] = re.findall(r"```python\n((?:.*\n)*?)```", section)
        self.succeed("sh", "-ec", shell)
        self.succeed(sys.executable, "-c", python, PYTHONPATH=os.path.abspath("build/pyvips"))
        for name in ["dry.png", "clear.webp"]:
            self.assertTrue(os.path.exists(self.path(name)), name)

    def run_c(self, source):
        with open(self.path("example.c"), "w") as file:
            file.write(PROGRAM % source)
        flags = subprocess.check_output(["pkg-config", "--cflags", "--libs", "vips"], text=True).split()
        self.succeed("cc", "example.c", "-o", "example", *flags)
        self.succeed("./example")

    def test_every_example_works(self):
        photos = ["rainy.jpg", "hazy.jpg", "noisy.jpg", "panorama.tif"]
        for name in photos:
            picture(64, 48).write_to_file(self.path(name))
        self.assertEqual(len(examples()), 7)
        for example in examples():
            with self.subTest(example):
                if "VipsImage" in example:
                    self.run_c(example)
                elif "import" in example:
                    self.succeed(sys.executable, "-c", example, PYTHONPATH=os.path.abspath("build/pyvips"))
                else:
                    self.succeed("sh", "-ec", example)
                for name in re.findall(r"\w+\.(?:png|jpg|webp|tif)", example):
                    self.assertTrue(os.path.exists(self.path(name)), name)
                    if name not in photos:
                        os.remove(self.path(name))
