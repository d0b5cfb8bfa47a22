"""The plugin as it is installed, found, and used from the shell."""
import glob
import os
import re
import shutil
import sys
import textwrap

import pyvips

from pictures import TestCase, picture

[PLUGIN] = glob.glob(f"{os.environ['VIPSHOME']}/*/vips-modules-*/vips-mirl.so")


class Installed(TestCase):
    def test_libvips_finds_the_plugin_in_its_folder(self):
        self.assertIn("remove rain, haze or noise", self.succeed("vips", "mirl"))

    def test_the_command_loads_it_from_anywhere(self):
        plugin = shutil.copy(PLUGIN, self.path("elsewhere.so"))
        picture().write_to_file(self.path("in.png"))
        self.assertNotEqual(self.run_command("vips", "mirl", "in.png", "out.png", VIPSHOME=self.folder).returncode, 0)
        self.succeed("vips", "--plugin", plugin, "mirl", "in.png", "out.png", VIPSHOME=self.folder)
        self.assertTrue(os.path.exists(self.path("out.png")))

    def test_a_second_copy_is_turned_away(self):
        plugin = shutil.copy(PLUGIN, self.path("second.so"))
        self.assertIn("another mirl plugin is loaded", self.run_command("vips", "--plugin", plugin, "mirl").stderr)

    def test_it_links_no_more_than_it_uses_and_says_nothing_of_where_it_was_built(self):
        dynamic = self.succeed("readelf", "-d", PLUGIN)
        needed = {name.split(".so")[0] for name in re.findall(r"NEEDED.*\[(.*)\]", dynamic)}
        self.assertEqual(needed, {"libmirl", "libvips", "libgobject-2.0", "libglib-2.0", "libc"})
        self.assertNotRegex(dynamic, "RUNPATH|RPATH")


class Command(TestCase):
    def setUp(self):
        super().setUp()
        picture().write_to_file(self.path("in.png"))

    def test_it_lists_the_tasks(self):
        self.assertIn("allowed: auto, denoise, derain, dehaze\n", self.succeed("vips", "mirl"))

    def expect_failure(self, *options, message, **environment):
        outcome = self.run_command("vips", "mirl", "in.png", "out.png", *options, **environment)
        self.assertEqual(outcome.returncode, 1)
        self.assertIn(message, outcome.stderr)
        self.assertFalse(os.path.exists(self.path("out.png")))

    def test_an_unknown_task(self):
        self.expect_failure("--task", "desnow", message="'desnow', should be one of: auto, denoise, derain, dehaze")

    def test_the_end_of_the_list_of_tasks(self):
        self.expect_failure("--task", "last", message="mirl: unknown task 4")
        image = pyvips.Image.new_from_file(self.path("in.png"))
        self.assert_refused("unknown task 4", image.mirl, task="last")

    def test_weights_that_are_missing_or_none(self):
        self.expect_failure("--weights", "none.mirl", message="mirl: none.mirl: cannot open: No such file or directory")
        self.expect_failure("--weights", "in.png", message="mirl: in.png: magic")

    def test_where_untrusted_operations_are_blocked_it_is_too(self):
        self.expect_failure(message="blocked", VIPS_BLOCK_UNTRUSTED="1")

    def test_what_is_loaded_after_the_blocking_is_not_blocked(self):
        plugin = shutil.copy(PLUGIN, self.path("elsewhere.so"))
        self.succeed(
            "vips", "--plugin", plugin, "mirl", "in.png", "out.png", VIPSHOME=self.folder, VIPS_BLOCK_UNTRUSTED="1")

    def test_a_host_may_unblock_it(self):
        program = """
            import pyvips
            pyvips.operation_block_set("VipsMirl", False)
            print(pyvips.Image.black(20, 20, bands=3).mirl().avg())
            """
        environment = {"VIPS_BLOCK_UNTRUSTED": "1", "PYTHONPATH": os.path.dirname(os.path.dirname(pyvips.__file__))}
        self.succeed(sys.executable, "-c", textwrap.dedent(program), **environment)
