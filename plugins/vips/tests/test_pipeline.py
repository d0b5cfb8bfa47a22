"""How the operation works among others: when it computes, how often, who may stop it, what it keeps."""
import ctypes
import io
import os
import re
import shutil
import sys
import threading
import time

import pyvips
from pictures import TestCase, greatest_difference, picture


class CountedSource:
    """A file that counts how often it is read."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.file = io.BytesIO(file.read())
        self.reads = 0
        self.source = pyvips.SourceCustom()
        self.source.on_read(self.read)
        self.source.on_seek(lambda offset, whence: self.file.seek(offset, whence))

    def read(self, size):
        self.reads += 1
        return self.file.read(size)


class Laziness(TestCase):
    def test_nothing_is_computed_until_pixels_are_asked_for(self):
        picture(240, 180).write_to_file(self.path("in.png"))
        counted = CountedSource(self.path("in.png"))
        image = pyvips.Image.new_from_source(counted.source, "", access="sequential")
        opened = counted.reads
        restored = image.mirl().crop(0, 0, 10, 10)
        self.assertEqual(counted.reads, opened)
        restored.write_to_memory()
        self.assertGreater(counted.reads, opened)

    def test_all_is_computed_once(self):
        image = picture(160, 120)
        restored = image.mirl()
        start = time.process_time()
        whole = restored.write_to_memory()
        once = time.process_time() - start
        for _ in range(3):
            self.assertEqual(restored.write_to_memory(), whole)
        part = restored.crop(20, 30, 50, 60).write_to_memory()
        again = time.process_time() - start - once
        copy = pyvips.Image.new_from_memory(whole, 160, 120, 3, "uchar")
        self.assertEqual(part, copy.crop(20, 30, 50, 60).write_to_memory())
        self.assertLess(again, once / 2)

    def test_sequential_input_may_lie_on_its_side(self):
        image = picture(100, 60).copy()
        image.set_type(pyvips.GValue.gint_type, "orientation", 8)
        image.write_to_file(self.path("in.jpg"))
        random, sequential = [
            pyvips.Image.new_from_file(self.path("in.jpg"), access=access).mirl()
            for access in ["random", "sequential"]]
        self.assert_same_pixels(sequential, random)
        self.assertEqual(sequential.get("orientation"), 8)


class Pipelines(TestCase):
    def test_between_thumbnail_and_webpsave(self):
        picture(120, 90).write_to_file(self.path("in.jpg"))
        saved = pyvips.Image.thumbnail(self.path("in.jpg"), 48).mirl(task="dehaze").webpsave_buffer(lossless=True)
        expected = pyvips.Image.thumbnail(self.path("in.jpg"), 48).copy_memory().mirl(task="dehaze")
        self.assert_same_pixels(pyvips.Image.new_from_buffer(saved, ""), expected)

    def test_after_itself(self):
        image = picture()
        expected = image.mirl().copy_memory().mirl(task="denoise")
        self.assert_same_pixels(image.mirl().mirl(task="denoise"), expected)
        self.assertGreater(greatest_difference(expected, image.mirl()), 0)

    def test_with_a_part_of_its_own_input(self):
        image = picture()
        changed = image.mirl().copy_memory() - image
        self.assert_same_pixels(image.mirl() - image.mirl(strength=0), changed)
        self.assertGreater(changed.abs().max(), 0)


class Progress(TestCase):
    def listen(self, image):
        seen = {"preeval": 0, "posteval": 0, "percent": []}

        def on_eval(_, progress):
            seen["percent"].append(progress.percent)

        def count(name):
            seen[name] += 1

        image.set_progress(True)
        image.signal_connect("eval", on_eval)
        for name in ["preeval", "posteval"]:
            image.signal_connect(name, lambda _, progress, name=name: count(name))
        return seen

    def check(self, seen):
        """The restoration's signals come first, then those of who asked for its pixels."""
        percent = seen["percent"][:seen["percent"].index(100) + 1]
        self.assertEqual(percent, sorted(percent))
        self.assertGreater(len(set(percent)), 20)
        self.assertEqual(seen["preeval"], 2)
        self.assertEqual(seen["posteval"], 2)

    def test_is_signalled_on_the_result(self):
        restored = picture(200, 150).mirl()
        seen = self.listen(restored)
        restored.write_to_memory()
        self.check(seen)

    def test_is_signalled_on_the_input(self):
        image = picture(200, 150)
        seen = self.listen(image)
        image.mirl().write_to_memory()
        self.check(seen)

    def test_who_hears_of_its_end_may_ask_for_pixels(self):
        restored, heard, pixels = picture(32, 24).mirl(), [], []

        def ask(*_):  # which it hears of again
            heard.append(True)
            if len(heard) == 1:
                pixels.append(restored.crop(3, 4, 1, 1).write_to_memory())

        restored.set_progress(True)
        restored.signal_connect("posteval", ask)
        whole, at = restored.write_to_memory(), 3 * (4 * 32 + 3)
        self.assertEqual(pixels, [whole[at:at + 3]])

    def test_is_shown_by_the_command(self):
        picture(200, 150).write_to_file(self.path("in.png"))
        shown = self.succeed("vips", "--vips-progress", "mirl", "in.png", "out.png")
        self.assertGreater(len(set(re.findall(r"\d+% complete", shown))), 20)


class Kill(TestCase):
    """What takes seconds ends within a tenth of one. That is the median of several kills, as others may be at work on
    this machine; where none are, it is 14 ms, and 34 with the paper's network, most of them to give back its memory."""

    def seconds_to_end(self, image, kill, build=lambda image: image):
        """From the moment that `kill` kills `image` to the end of the computation of what `build` makes of it."""
        killed = []

        def kill_once():
            if not killed:
                killed.append(time.monotonic())
                image.set_kill(True)

        kill(image, kill_once)
        self.assert_refused("killed", build(image).write_to_memory)
        return time.monotonic() - killed[0]

    def assert_ends(self, kill, make, *build, times=5):
        """Kills what `make` makes, a bit later each time."""
        late = [self.seconds_to_end(make(), kill(moment), *build) for moment in range(times)]
        self.assertLess(sorted(late)[times // 2], 0.1, late)

    def when(self, condition):
        """By a listener, as soon as the progress fulfils the condition."""
        def kill(image, kill_once):
            image.set_progress(True)
            image.signal_connect("eval", lambda _, progress: condition(progress) and kill_once())

        return kill

    def after(self, seconds):
        """By another thread."""
        return lambda image, kill_once: threading.Timer(seconds, kill_once).start()

    def test_from_a_listener_of_the_result(self):
        self.assert_ends(
            lambda moment: self.when(lambda progress: progress.percent >= 5 * moment), picture(1024, 1024).mirl)

    def test_from_a_listener_of_the_input(self):
        large = picture(1024, 1024)
        self.assert_ends(
            lambda moment: self.when(lambda progress: progress.percent >= 5 * moment), large.copy,
            lambda image: image.mirl().invert())

    def test_after_a_time_limit(self):
        self.assert_ends(
            lambda moment: self.when(lambda progress: progress.run >= 1), picture(4000, 3000).mirl, times=3)

    def test_from_another_thread_that_listens_to_nothing(self):
        for format in ["uchar", "float"]:
            with self.subTest(format):
                self.assert_ends(lambda moment: self.after(0.05 + 0.17 * moment), picture(4000, 3000).cast(format).mirl)

    def test_with_the_paper_s_network(self):
        weights = self.path("full.mirl")
        self.succeed(os.path.abspath(".build/release/mirl-bench"), "random-weights", weights)
        self.assert_ends(
            lambda moment: self.after(0.05 + 0.3 * moment), lambda: picture(1024, 1024).mirl(weights=weights), times=3)

    def test_while_the_input_is_computed(self):
        blurred = picture(3000, 3000, bands=1).gaussblur(40, precision="float")
        self.assert_ends(lambda moment: self.after(0.02 + 0.05 * moment), blurred.mirl)

    def test_what_was_killed_stays_so_but_may_be_asked_for_anew(self):
        pyvips.cache_set_max(100)
        self.addCleanup(pyvips.cache_set_max, 0)
        image = picture(200, 150)
        killed = image.mirl()
        self.seconds_to_end(killed, self.when(lambda progress: True))
        self.assert_refused("failed before", killed.write_to_memory)
        self.assertEqual(len(image.mirl().write_to_memory()), 200 * 150 * 3)


class Threads(TestCase):
    def together(self, *functions):
        results = [None] * len(functions)

        def run(i):
            results[i] = functions[i]()

        threads = [threading.Thread(target=run, args=[i]) for i in range(len(functions))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    def test_many_restore_at_the_same_time(self):
        images = [picture(64, 48, seed=seed) for seed in range(6)]
        alone = [image.mirl(task="derain").write_to_memory() for image in images]
        at_once = self.together(*[
            lambda image=image: image.mirl(task="derain", threads=2).write_to_memory() for image in images])
        self.assertEqual(at_once, alone)

    def test_many_ask_for_one_result(self):
        restored = picture(64, 48).mirl()
        first, *others = self.together(*[restored.write_to_memory] * 4)
        self.assertEqual(others, [first] * 3)

    def test_as_many_work_as_are_asked_for(self):
        def most(threads):
            counts = []
            restored = picture(64, 48).mirl(threads=threads)
            restored.set_progress(True)
            restored.signal_connect("eval", lambda image, progress: counts.append(len(os.listdir("/proc/self/task"))))
            restored.write_to_memory()
            return max(counts)

        self.assertEqual(most(threads=7) - most(threads=2), 5)

    def test_the_result_does_not_depend_on_their_number(self):
        image = picture(64, 48)
        one, three, default = [image.mirl(threads=threads).write_to_memory() for threads in [1, 3, 0]]
        self.assertEqual(one, three)
        self.assertEqual(one, default)


class MallocInfo(ctypes.Structure):
    """mallinfo2(3), summed up over all threads."""
    _fields_ = [(name, ctypes.c_size_t) for name in [
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"]]


def bytes_in_use():
    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = MallocInfo
    info = libc.mallinfo2()
    return info.uordblks + info.hblkhd


def bytes_resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Server(TestCase):
    def serve(self, count):
        for seed in range(count):
            image = picture(16, 16, bands=3 + seed % 2, seed=seed).cast(["uchar", "float"][seed % 2])
            image.mirl(threads=1 + seed % 2).webpsave_buffer(Q=50, effort=0)

    def test_memory_stays_flat_over_a_thousand_pictures(self):
        """A kilobyte lost with each picture would fail it. What is resident also swings with what malloc keeps for
        later, by some megabytes; it would show mappings and threads that are lost."""
        self.serve(200)
        in_use, resident = bytes_in_use(), bytes_resident()
        self.serve(800)
        self.assertLess(bytes_in_use() - in_use, 800 << 10)
        self.assertLess(bytes_resident() - resident, 8 << 20)


class MemoryLimit(TestCase):
    def test_tiles_have_the_bits_of_mirl_filter(self):
        image, limit = picture(600, 280), 20 << 20
        image.write_to_file(self.path("in.png"))
        # mirl-filter sets aside the image thrice, and 32 MiB for the program.
        self.succeed("mirl-filter", "--memory", str(limit + 3 * 600 * 280 * 3 + (32 << 20)), "-o", "out.png", "in.png")
        tiled = image.mirl(memory=limit)
        self.assert_same_pixels(tiled, pyvips.Image.new_from_file(self.path("out.png")))
        self.assertGreater(greatest_difference(tiled, image.mirl()), 0)

    def test_whole_where_that_is_within_it(self):
        image = picture(300, 280)
        self.assert_same_pixels(image.mirl(memory=1 << 40), image.mirl(memory=0))

    def test_each_page_for_itself(self):
        pages = [picture(600, 280, seed=seed) for seed in [1, 2]]
        animation = pyvips.Image.arrayjoin(pages, across=1).copy()
        animation.set_type(pyvips.GValue.gint_type, "page-height", 280)
        alone = pyvips.Image.arrayjoin([page.mirl(memory=20 << 20) for page in pages], across=1)
        self.assert_same_pixels(animation.mirl(memory=20 << 20), alone)

    def test_too_little_even_for_the_smallest_tiles(self):
        restored = picture(300, 280).mirl(memory=1000000)
        self.assert_refused("mirl: .* in the smallest tiles, more than the limit of 1000000", restored.avg)

    def test_a_process_stays_within_it(self):
        """Without a limit the network takes 74 MB for this picture, which itself takes 1."""
        program = """if True:
            import pyvips

            def peak():
                with open("/proc/self/status") as status:
                    return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))

            pyvips.Image.black(16, 16, bands=3).mirl(threads=2).avg()
            before = peak()
            pyvips.Image.gaussnoise(640, 640).cast("uchar").mirl(threads=2, memory=30_000_000).avg()
            print(peak() - before)
            """
        grown = self.succeed(sys.executable, "-c", program, PYTHONPATH=os.path.abspath("build/pyvips"))
        self.assertLess(int(grown), 40_000_000)


class Weights(TestCase):
    golden = os.path.abspath("Tests/MirlTests/Golden/weights.safetensors")

    def setUp(self):
        super().setUp()
        shutil.copy("weights/lite-derain.mirl", self.path("one.mirl"))

    def mappings(self):
        with open("/proc/self/maps") as maps:
            return sum(self.folder in line for line in maps)

    def test_a_file_is_opened_once(self):
        path = self.path("one.mirl")
        results = [picture(seed=seed).mirl(weights=path, task="derain").write_to_memory() for seed in [1, 2]]
        self.assertEqual(results[0], picture(seed=1).mirl(task="derain").write_to_memory())
        self.assertEqual(self.mappings(), 1)

    def test_a_file_that_was_replaced_is_opened_anew(self):
        image, path = picture(), self.path("one.mirl")
        before = image.mirl(weights=path).write_to_memory()
        self.succeed("mirl-weights", "pack", self.golden, "one.mirl")
        self.assertNotEqual(image.mirl(weights=path).write_to_memory(), before)
        self.assertEqual(self.mappings(), 1)

    def test_a_result_keeps_the_weights_that_it_was_made_with(self):
        image, path = picture(), self.path("one.mirl")
        late = image.mirl(weights=path, task="derain")
        self.succeed("mirl-weights", "pack", self.golden, "one.mirl")
        image.mirl(weights=path)
        self.assert_same_pixels(late, image.mirl(task="derain"))

    def test_a_file_that_holds_none_is_refused_at_once(self):
        picture().write_to_file(self.path("picture.png"))
        picture().mirl()  # the built-in weights are no file's
        self.assert_refused("mirl: ", picture().mirl, weights="")
        for name, reason in [("missing.mirl", "cannot open"), ("picture.png", "magic")]:
            self.assert_refused(f"mirl: {self.path(name)}: {reason}", picture().mirl, weights=self.path(name))
