"""What training promises: pruning that rewinds exactly, and runs that can stop anywhere."""

import csv
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import average
import prune
import train
from data import TASKS
from restore import load_network, restore

TINY = ["--preset", "golden", "--workers", "0", "--patches", "4", "--size", "16", "--lr", "1e-3"]


def start(folder, photos, *options):
    return ["--data", str(photos), *TINY, *options, str(folder)]


def train_a_little(run, steps=3):
    rng = torch.Generator().manual_seed(run.round)
    for _ in range(steps):
        clean = torch.rand(2, 3, 16, 16, generator=rng)
        run.train_step(clean + 0.1 * torch.randn(clean.shape, generator=rng), clean, ["denoise", "derain"])


@pytest.mark.parametrize("scope", prune.SCOPES)
def test_survivors_of_imp_are_exactly_at_their_initial_values(tmp_path, photos, scope):
    run = train.Run(train.arguments(start(tmp_path, photos, "--method", "imp", "--scope", scope, "--rate", "0.4")))
    for _ in range(2):
        train_a_little(run)
        trained = run.network.state_dict()
        assert any(not torch.equal(trained[name], value) for name, value in run.initial.items())
        run.end_round()
        for name, value in run.network.state_dict().items():
            expected = run.initial[name] * run.masks[name] if name in run.masks else run.initial[name]
            assert torch.equal(value, expected), name
    assert run.round == 2 and run.step == 0
    if scope == "global":
        assert prune.density(run.masks) == pytest.approx(0.36, abs=1e-4)


def test_naming_tasks_makes_the_mixtures_tell_them_apart(tmp_path, photos):
    asked = start(tmp_path, photos, "--method", "dense", "--name-tasks", "1", "--lr", "1e-2", "--warmup", "0.001")
    run = train.Run(train.arguments(asked))
    dark, bright = torch.zeros(1, 3, 16, 16), torch.ones(1, 3, 16, 16)
    images, tasks = torch.cat([dark, bright]), ["denoise", "dehaze"]
    run.network(images)
    before = run.naming_loss(run.network.mixtures(), tasks)
    for _ in range(30):
        run.train_step(images, images, tasks)
    run.network(images)
    assert run.naming_loss(run.network.mixtures(), tasks) < before / 4


def test_a_prompt_that_cannot_see_the_image_is_not_taught_to_name_tasks(tmp_path, photos):
    run = train.Run(train.arguments(start(tmp_path, photos, "--method", "dense", "--name-tasks", "1")))
    run.network(torch.zeros(2, 3, 16, 16))
    alone = run.naming_loss(run.network.mixtures()[:1], ["denoise", "dehaze"])
    for number in (2, 3):
        run.masks[f"prompt{number}.linear_layer.weight"].zero_()
    assert torch.equal(run.naming_loss(run.network.mixtures(), ["denoise", "dehaze"]), alone)
    run.masks["prompt1.linear_layer.weight"].zero_()
    assert run.naming_loss(run.network.mixtures(), ["denoise", "dehaze"]) == 0


def test_a_run_learns_to_leave_clean_patches_alone_and_to_name_them(tmp_path, photos):
    options = ["--method", "dense", "--clean-share", "1", "--name-tasks", "0.1", "--steps", "60", "--lr", "1e-2"]
    train.main(start(tmp_path, photos, *options))
    network, _ = load_network(tmp_path / "weights.safetensors")
    images = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(5))
    untrained = train.build(network.config, 0)
    harm = [(restore(n, images) - images).abs().mean() for n in (untrained, network)]
    assert harm[1] < harm[0] / 4
    assert (network.mixtures().argmax(-1) == len(TASKS)).all()


def test_psnr_as_loss_is_minus_a_tenth_of_the_mean_psnr_and_weighs_patches_alike():
    clean = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(6))
    distance = torch.tensor([0.1, 0.01]).reshape(2, 1, 1, 1)
    restored = (clean + distance).requires_grad_()
    loss = train.restoration_loss("psnr", restored, clean)
    assert torch.isclose(loss, torch.tensor(-(2 + 4) / 2), atol=0.03)  # 20 and 40 dB, the latter a little less
    loss.backward()
    little_wrong, much_wrong = restored.grad[1].abs().mean(), restored.grad[0].abs().mean()
    assert 8 < little_wrong / much_wrong <= 10
    assert train.restoration_loss("l1", restored, clean).isclose(distance.mean())


def test_flatness_is_of_steps_in_what_is_flat_not_of_its_level_nor_of_textures():
    clean = torch.full((1, 3, 32, 64), 0.5)
    clean[..., 32:] = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(8))
    stepped, shifted, textured = clean.clone(), clean + 0.1, clean.clone()
    stepped[..., 8:16] += 0.02
    textured[..., 40:48] += 0.02
    losses = [float(train.flatness_loss(image, clean)) for image in (clean, shifted, textured, stepped)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-3)
    assert losses[2] - losses[0] < 0.01 < 0.3 < losses[3] - losses[0]


def test_rewinding_the_learning_rate_keeps_the_trained_survivors(tmp_path, photos):
    run = train.Run(train.arguments(start(tmp_path, photos, "--method", "imp", "--rewind", "lr")))
    train_a_little(run)
    trained = {name: value.clone() for name, value in run.network.state_dict().items()}
    run.end_round()
    for name, value in run.network.state_dict().items():
        assert torch.equal(value, trained[name] * run.masks.get(name, 1)), name


def test_leaving_out_what_is_cut_off_changes_nothing(tmp_path, photos):
    """Neither the results nor the gradients of what is left."""
    run = train.Run(train.arguments(start(tmp_path, photos, "--method", "dense")))
    for name in ("latent.0.attn", "refinement.0.ffn", "noise_level2.attn", "noise_level2.ffn"):
        run.masks[f"{name}.project_out.weight"].zero_()
    prune.apply(run.masks, run.prunable(run.network))
    images = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))

    def results():
        run.network.zero_grad()
        restored = run.network(images)
        restored.square().mean().backward()
        prune.apply(run.masks, grads := {k: p.grad for k, p in run.prunable(run.network).items() if p.grad is not None})
        return restored.detach(), {k: grad.clone() for k, grad in grads.items() if grad.any()}

    whole, gradients = results()
    run.leave_out_the_dead()
    blocks = [m for m in run.network.modules() if isinstance(m, train.Block)]
    assert sum(not b.has_attn for b in blocks) == 2 and sum(not b.has_ffn for b in blocks) == 2
    restored, left = results()
    assert torch.equal(restored, whole) and left.keys() == gradients.keys()
    assert all(torch.equal(left[k], gradients[k]) for k in left)


def test_masked_weights_stay_zero_in_training(tmp_path, photos):
    run = train.Run(train.arguments(start(tmp_path, photos, "--method", "imp", "--rate", "0.5")))
    run.end_round()
    train_a_little(run)
    for network in (run.network, run.average):
        for name, weights in prune.prunable(network).items():
            assert not weights[run.masks[name] == 0].any(), name


@pytest.mark.parametrize(
    "method",
    [
        ["--method", "gradual", "--density", "0.3", "--steps", "6", "--large-after", "0.5"],
        ["--method", "imp", "--rounds", "1", "--steps", "3"],
        ["--method", "imp", "--rounds", "2", "--steps", "4", "--search-steps", "2", "--large-after", "0.5"],
        ["--method", "gradual", "--keep", '{"level1": 0.3, "latent": 0}', "--steps", "6"],
    ],
    ids=["gradual", "imp", "short searches", "shares"],
)
def test_a_run_stopped_after_every_step_equals_an_uninterrupted_one(tmp_path, photos, monkeypatch, method):
    monkeypatch.setattr(train, "PRUNE_EVERY", 2)
    train.main(start(tmp_path / "whole", photos, *method))
    for _ in range(9):
        train.main(start(tmp_path / "parts", photos, *method, "--minutes", "0"))
    whole, parts = (torch.load(tmp_path / name / "state.pt", weights_only=True) for name in ("whole", "parts"))
    assert whole.pop("minutes") > 0 < parts.pop("minutes")
    assert_same(whole, parts)
    assert_same(*(load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "parts")))
    assert_same(*(logged(tmp_path / name) for name in ("whole", "parts")))


def test_searching_rounds_are_shorter_and_have_schedules_of_their_own(tmp_path, photos):
    imp = ["--method", "imp", "--rounds", "2", "--steps", "6", "--search-steps", "2", "--large-after", "0.5"]
    run = train.Run(train.arguments(start(tmp_path, photos, *imp)))
    wide = [run.shapes(batch).size > 16 for batch in range(10)]
    assert wide == [False, True] * 2 + [False] * 3 + [True] * 3
    for round, first in enumerate((0, 2, 4)):
        run.round, run.step = round, 1
        assert run.batch == first + 1 and run.progress == pytest.approx(1 / (2, 2, 6)[round])


def test_a_run_by_the_clock_ends_in_time_pruned_as_asked(tmp_path, photos):
    options = ["--for-minutes", "0.02", "--keep", '{"ffn": 0.5}', "--patches", "1"]
    train.main(start(tmp_path, photos, *options))
    rows = logged(tmp_path)
    assert int(rows[-1]["step"]) > 1
    weights = load_file(tmp_path / "weights.safetensors")
    ffn = [w for name, w in weights.items() if "ffn" in name]
    assert sum(w.count_nonzero() for w in ffn) == pytest.approx(0.5 * sum(w.numel() for w in ffn), rel=0.01)


@pytest.mark.parametrize("options", [["--method", "imp"], ["--large-after", "0.5"]], ids=" ".join)
def test_what_counts_steps_does_not_go_by_the_clock(tmp_path, photos, options, capsys):
    with pytest.raises(SystemExit):
        train.arguments(start(tmp_path, photos, "--for-minutes", "1", *options))
    assert "--for-minutes goes neither" in capsys.readouterr().err


def test_pruned_prompts_do_not_grow_anew(tmp_path, photos):
    train.main(start(tmp_path / "first", photos, "--method", "dense", "--steps", "1"))
    path = tmp_path / "first/weights.safetensors"
    weights = load_file(path)
    weights["prompt1.prompt_param"][0, 0] = 0
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    save_file(weights, path, metadata)
    begun = ["--method", "dense", "--steps", "1", "--start", str(path)]
    with pytest.raises(SystemExit, match="its prompts are pruned"):
        train.main(start(tmp_path / "second", photos, *begun))
    train.main(start(tmp_path / "third", photos, *begun, "--prune-prompts"))
    assert (load_file(tmp_path / "third/weights.safetensors")["prompt1.prompt_param"][0, 0] == 0).all()


def test_batches_have_the_same_shapes_in_a_process_of_another_kind(tmp_path, photos):
    run = train.Run(train.arguments(start(tmp_path, photos, "--steps", "6", "--large-after", "0.5")))
    shapes = pickle.loads(pickle.dumps(run.shapes))
    assert [shapes(batch) for batch in range(6)] == [run.shapes(batch) for batch in range(6)]


@pytest.mark.parametrize("number", train.STOPPING)
def test_a_signal_to_all_processes_of_a_run_stops_and_saves_it(tmp_path, photos, number):
    command = [sys.executable, train.__file__, *start(tmp_path / "run", photos, "--steps", "100000", "--threads", "1")]
    command[command.index("--workers") + 1] = "1"
    run = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    log, deadline = tmp_path / "run" / "log.csv", time.monotonic() + 120
    while not log.exists() and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(run.pid, number)
    assert run.wait(60) == 0
    assert torch.load(tmp_path / "run" / "state.pt", weights_only=True)["step"] >= train.LOG_EVERY


def logged(folder):
    """The lines of a run's log, less the time."""
    with (folder / "log.csv").open(newline="") as file:
        assert "\r" not in file.read()
        file.seek(0)
        return [{k: v for k, v in row.items() if k != "minutes"} for row in csv.DictReader(file)]


def test_a_killed_run_logs_no_step_twice(tmp_path, photos, monkeypatch):
    monkeypatch.setattr(train, "LOG_EVERY", 2)
    method = ["--method", "imp", "--rounds", "1", "--steps", "5"]
    train.main(start(tmp_path / "whole", photos, *method))
    begun = start(tmp_path / "killed", photos, *method)
    train.main(begun + ["--minutes", "0"])
    saved = (tmp_path / "killed" / "state.pt").read_bytes()
    for _ in range(6):
        train.main(begun + ["--minutes", "0"])
    assert [(row["round"], row["step"]) for row in logged(tmp_path / "killed")][-1] == ("1", "2")
    (tmp_path / "killed" / "state.pt").write_bytes(saved)  # as if nothing had been saved since
    train.main(begun)
    assert_same(*(logged(tmp_path / name) for name in ("whole", "killed")))


@pytest.mark.parametrize("torn", ["", "round,st", "round,step,loss,density,minutes\n0,"])
def test_a_log_that_is_torn_stops_no_run(tmp_path, photos, torn):
    begun = start(tmp_path, photos, "--method", "dense", "--steps", "2")
    train.main(begun + ["--minutes", "0"])
    (tmp_path / "log.csv").write_text(torn)
    train.main(begun)
    assert [row["step"] for row in logged(tmp_path)] == ["2"]


def test_a_run_has_one_process(tmp_path, photos):
    with train.held(tmp_path), pytest.raises(SystemExit, match="another process trains this run"):
        train.main(start(tmp_path, photos, "--method", "dense", "--steps", "1"))
    train.main(start(tmp_path, photos, "--method", "dense", "--steps", "1"))


def test_a_run_that_goes_on_with_other_code_says_so(tmp_path, photos, monkeypatch, capsys):
    begun = start(tmp_path, photos, "--method", "dense", "--steps", "3")
    train.main(begun + ["--minutes", "0"])
    train.main(begun + ["--minutes", "0"])
    assert "the code has changed" not in capsys.readouterr().err
    monkeypatch.setattr(train, "CODE", "other")
    train.main(begun)
    assert "the code has changed since step 2" in capsys.readouterr().err


def test_imp_goes_on_from_the_mask_and_the_seed_alone(tmp_path, photos):
    method = ["--method", "imp", "--rounds", "2", "--steps", "2"]
    train.main(start(tmp_path / "whole", photos, *method))
    (tmp_path / "parts").mkdir()
    for name in ("ticket.safetensors", "config.json", "log.csv"):
        (tmp_path / "parts" / name).write_bytes((tmp_path / "whole" / name).read_bytes())
    train.main(start(tmp_path / "parts", photos, *method))
    assert_same(*(load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "parts")))
    assert_same(*(logged(tmp_path / name) for name in ("whole", "parts")))
    assert (tmp_path / "whole" / "ticket.safetensors").stat().st_size < 0.25 * weights_size(tmp_path / "whole")


def weights_size(folder):
    return (folder / "weights.safetensors").stat().st_size


def test_a_run_is_not_resumed_with_other_options(tmp_path, photos):
    begun = start(tmp_path, photos, "--method", "dense", "--steps", "2")
    train.main(begun + ["--minutes", "0"])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(SystemExit) as refused:
        train.main(begun + ["--steps", "3", "--tasks", "denoise", "--threads", "1", "--start", "x"])
    first, *differing = str(refused.value).splitlines()
    assert first.startswith(f"{tmp_path}: this run began with other options")
    assert differing == [
        "  --tasks: ['denoise', 'derain', 'dehaze'] then, ['denoise'] now",
        "  --start: None then, x now",
        "  --steps: 2 then, 3 now",
    ]
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_threads_workers_minutes_and_the_data_s_place_may_change(tmp_path, photos):
    (tmp_path / "moved").symlink_to(photos)
    begun = start(tmp_path / "run", photos, "--method", "dense", "--steps", "2")
    train.main(begun + ["--minutes", "0"])
    train.main(begun + ["--data", str(tmp_path / "moved"), "--threads", "1", "--workers", "1", "--minutes", "9"])
    assert logged(tmp_path / "run")[-1]["step"] == "2"


def test_options_that_a_config_is_too_old_to_name_count_at_their_defaults(tmp_path, photos):
    begun = start(tmp_path, photos, "--method", "dense", "--steps", "2")
    train.main(begun + ["--minutes", "0"])
    config = json.loads((tmp_path / "config.json").read_text())
    del config["by_cost"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(SystemExit, match="--by-cost: False then, True now"):
        train.main(begun + ["--by-cost"])
    train.main(begun)


def test_the_weights_of_a_run_whose_state_is_gone_are_not_overwritten(tmp_path, photos):
    begun = start(tmp_path, photos, "--method", "dense", "--steps", "2")
    train.main(begun)
    (tmp_path / "state.pt").unlink()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(SystemExit, match="a run without the state.pt"):
        train.main(begun + ["--steps", "3"])
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_a_data_folder_without_photos_is_named(tmp_path):
    for folder in ("clean", "haze/target"):
        (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(SystemExit, match="clean: no photos"):
        train.main(start(tmp_path / "run", tmp_path, "--method", "dense"))


def assert_same(a, b):
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, list):
        assert len(a) == len(b)
        for pair in zip(a, b):
            assert_same(*pair)
    else:
        assert torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


def test_a_mean_of_runs_is_a_run(tmp_path, photos):
    train.main(start(tmp_path / "a", photos, "--steps", "1", "--method", "gradual", "--density", "0.5"))
    for seed in "12":
        begun = ["--start", str(tmp_path / "a" / "weights.safetensors"), "--method", "dense", "--seed", seed]
        train.main(start(tmp_path / seed, photos, "--steps", "2", *begun))
    average.main([str(tmp_path / "mean"), str(tmp_path / "1"), f"{tmp_path / '2'}=3"])
    one, two, both = (load_file(tmp_path / name / "weights.safetensors") for name in ("1", "2", "mean"))
    for name, values in both.items():
        expected = (one[name].float() + 3 * two[name].float()) / 4
        torch.testing.assert_close(values.float(), expected, atol=1e-3, rtol=1e-3)
    assert any(not torch.equal(one[name], two[name]) for name in both)
    assert json.loads((tmp_path / "mean" / "config.json").read_text())["mean_of"] == {"1": 0.25, "2": 0.75}
    train.main(start(tmp_path / "dense", photos, "--steps", "1", "--method", "dense"))
    with pytest.raises(SystemExit, match="weight: .* weights are zero in one run"):
        average.main([str(tmp_path / "never"), str(tmp_path / "1"), str(tmp_path / "dense")])
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize("steps, beyond", [(4, []), (7, []), (4, ["--by-cost"]), (4, ["--prune-prompts"])])
def test_gradual_pruning_ends_at_the_asked_density(tmp_path, photos, monkeypatch, steps, beyond):
    monkeypatch.setattr(train, "PRUNE_EVERY", 3)
    train.main(start(tmp_path, photos, "--method", "gradual", "--density", "0.2", "--steps", str(steps), *beyond))
    kinds = ("weight", "prompt_param") if "--prune-prompts" in beyond else ("weight",)
    weights = {k: w for k, w in load_file(tmp_path / "weights.safetensors").items() if k.endswith(kinds)}
    assert prune.density({k: (w != 0).float() for k, w in weights.items()}) == pytest.approx(0.2, abs=1e-3)


def test_a_run_starts_from_given_weights_and_keeps_their_zeros(tmp_path, photos):
    pruned = ["--method", "gradual", "--scope", "layerwise", "--density", "0.3", "--steps", "2"]
    train.main(start(tmp_path / "a", photos, *pruned))
    weights = tmp_path / "a" / "weights.safetensors"
    train.main(start(tmp_path / "b", photos, "--method", "dense", "--steps", "2", "--start", str(weights)))
    before, after = load_file(weights), load_file(tmp_path / "b" / "weights.safetensors")
    assert any(not torch.equal(before[name], after[name]) for name in before)
    assert all(not after[name][before[name] == 0].any() for name in before if "weight" in name)


def test_a_share_of_each_tensor_is_kept(tmp_path, photos, monkeypatch):
    monkeypatch.setattr(train, "PRUNE_EVERY", 3)
    keep = ["--method", "gradual", "--keep", '{"level1.*ffn": 0.25, "latent.0.attn": 0}', "--steps", "4"]
    train.main(start(tmp_path, photos, *keep))
    for name, weights in load_file(tmp_path / "weights.safetensors").items():
        if "weight" in name:
            share = 0.25 if "level1" in name and "ffn" in name else 0 if "latent.0.attn" in name else 1
            assert int((weights != 0).sum()) == pytest.approx(share * weights.numel(), abs=1), name


def test_no_shares_asked_for_prune_nothing(tmp_path, photos):
    train.main(start(tmp_path / "a", photos, "--method", "gradual", "--keep", "{}", "--steps", "3"))
    weights = load_file(tmp_path / "a" / "weights.safetensors")
    assert all((w != 0).float().mean() > 0.9 for name, w in weights.items() if name.endswith("qkv.weight"))


def test_fresh_parts_begin_whole_and_nearly_leave_the_features_as_they_are(tmp_path, photos):
    train.main(start(tmp_path / "a", photos, "--method", "gradual", "--density", "0.3", "--steps", "2"))
    weights = tmp_path / "a" / "weights.safetensors"
    fresh = ["--fresh", "encoder_level3", "latent", "--start", str(weights)]
    run = train.Run(train.arguments(start(tmp_path / "b", photos, *fresh)))
    untrained, before = train.build(run.network.config, 0).state_dict(), load_file(weights)
    for name, value in run.network.state_dict().items():
        if not name.startswith(("encoder_level3", "latent")):
            assert torch.equal(value, before[name].float()), name
        elif name.endswith("project_out.weight"):
            assert torch.equal(value, 0.1 * untrained[name]), name
        else:
            assert torch.equal(value, untrained[name]), name


def test_a_fresh_part_that_the_network_lacks_is_refused(tmp_path, photos):
    train.main(start(tmp_path / "a", photos, "--steps", "1"))
    options = ["--fresh", "encoder_level9", "--start", str(tmp_path / "a" / "weights.safetensors")]
    with pytest.raises(SystemExit, match="--fresh encoder_level9: the network has no such part"):
        train.main(start(tmp_path / "b", photos, *options))


@pytest.mark.parametrize(
    "asked",
    ["--fresh latent", "--keep {}", "--keep {} --method imp", "--rate 0.5", "--search-steps 2 --method gradual",
     "--density 0.5", "--keep {} --method gradual --scope scaled", "--keep {} --method gradual --by-cost"],
)  # fmt: skip
def test_options_that_would_do_nothing_are_refused(tmp_path, photos, asked, capsys):
    with pytest.raises(SystemExit):
        train.main([*start(tmp_path / "a", photos, "--method", "dense", "--steps", "1"), *asked.split()])
    assert re.search(f"{asked.split()[0]} (is of use with|goes without)", capsys.readouterr().err)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    "asked",
    ["--clean-share=15", "--density=-0.1", "--size=20", "--patches=0", "--steps=0", "--rounds=-1", "--search-steps=0",
     "--lr=0", "--workers=-1", "--flat=-1", "--name-tasks=nan", "--for-minutes=0"],
)  # fmt: skip
def test_numbers_out_of_range_are_refused(tmp_path, photos, asked, capsys):
    with pytest.raises(SystemExit):
        train.main([*start(tmp_path / "a", photos), asked])
    assert asked.split("=")[0] in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_weights_that_cannot_be_begun_with_are_named(tmp_path, photos):
    train.main(start(tmp_path / "a", photos, "--steps", "1"))
    (tmp_path / "b.safetensors").write_text("no weights")
    for path, preset in ((tmp_path / "a" / "weights.safetensors", "lite"), (tmp_path / "b.safetensors", "golden")):
        with pytest.raises(SystemExit, match=str(path)):
            train.main([*start(tmp_path / "c", photos), "--preset", preset, "--start", str(path)])


def test_the_order_of_shares_is_an_option_too(tmp_path, photos):
    def gradual(keep):
        return start(tmp_path / "a", photos, "--method", "gradual", "--steps", "2", "--keep", keep)

    train.main(gradual('{"level1": 0.3, "ffn": 0.5}') + ["--minutes", "0"])
    with pytest.raises(SystemExit, match="--keep"):
        train.main(gradual('{"ffn": 0.5, "level1": 0.3}'))
    train.main(gradual('{"level1": 0.3, "ffn": 0.5}'))
