"""The command line: what it prints, what it writes, and one clear line with status 2 for each bad input."""

import dataclasses
import io
import json
import math
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from neurosym_lite import __main__ as command
from neurosym_lite.__main__ import main
from neurosym_lite.commands import best
from neurosym_lite.commands import train as train_command
from neurosym_lite.commands.arguments import table
from neurosym_lite.commands.models import seen
from neurosym_lite.data.arrow_room import PAPER_SHAPES
from neurosym_lite.data.sources import DataError
from neurosym_lite.evaluation.evaluate import FEWER, METRICS, OWN_NUMBER, evaluate
from neurosym_lite.training import checkpoints, loop, records
from neurosym_lite.training.checkpoints import load_checkpoint, read_file
from neurosym_lite.training.recipes import RECIPES, get_recipe
from neurosym_lite.training.records import load_record
from neurosym_lite.training.step import ENGINES
from tests.training.conftest import recipe  # noqa: F401  (fixture)

GNM = "gnm-gaussian-digits4-lite"


@pytest.fixture
def refused(capsys):
    """Runs a command that must fail: status 2, exactly one line on standard error, nothing on standard output."""

    def run(*arguments: str) -> str:
        try:
            status = main(arguments)
        except SystemExit as stop:
            status = stop.code
        out, err = capsys.readouterr()
        assert status == 2 and out == "" and err.count("\n") == 1, (status, out, err)
        return err

    return run


def test_list_names_recipes_checkpoints_and_data(capsys) -> None:
    assert main(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    names = {entry["name"]: entry for entry in listed["recipes"]}
    assert names[GNM]["checkpoint"] and names[GNM]["record"] and names[GNM]["steps"] > 0
    assert listed["data"]["digits"]
    assert main(["list"]) == 0 and GNM in capsys.readouterr().out


def test_list_has_columns_whatever_the_names(recipe, capsys, monkeypatch) -> None:  # noqa: F811
    long = dataclasses.replace(recipe, name="a-recipe-of-more-than-forty-letters-in-its-name", about="ABOUT")
    monkeypatch.setitem(RECIPES, long.name, long)
    assert main(["list"]) == 0
    first, second, *others = capsys.readouterr().out.splitlines()
    assert first.startswith("recipes (* with a shipped checkpoint")
    assert second.split() == ["name", "steps", "minutes", "data", "about"]
    rows = others[: others.index("data sets")]
    assert {row[second.index("about") - 1] for row in rows} == {" "} and len(rows) == len(RECIPES)
    assert next(row for row in rows if long.name in row).split()[1:] == ["14", "digits", "ABOUT"]
    minutes = f"{load_record(GNM).minutes:.0f}"
    assert next(row for row in rows if f" {GNM} " in row).split()[:5] == ["*", GNM, "5,000", minutes, "digits"]


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    with run_python("-m", "neurosym_lite", "list", stdout=subprocess.PIPE) as process:
        process.stdout.close()  # before anything is written
        assert process.stderr.read() == ""
    assert process.returncode == 0


@pytest.mark.parametrize("seconds", [0.3, 1.0])
def test_ctrl_c_while_torch_is_imported_is_one_line(seconds: float, tmp_path) -> None:
    """An import that takes its time stands for torch's."""
    (tmp_path / "torch.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it, and hands that on
    process = run_python("-m", "neurosym_lite", "list", stdout=subprocess.PIPE, first=tmp_path)
    signal.signal(signal.SIGINT, before)
    assert process.stdout.readline() == "importing\n"
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and err == "interrupted\n"


def test_help_and_complaints_need_no_torch(tmp_path) -> None:
    (tmp_path / "torch.py").write_text("raise RuntimeError('torch was imported')\n")
    for arguments, status in ((["--help"], 0), (["evaluate", "--help"], 0), (["paint"], 2), (["train"], 2)):
        process = run_python("-m", "neurosym_lite", *arguments, stdout=subprocess.PIPE, first=tmp_path)
        _, err = process.communicate(timeout=60)
        assert process.returncode == status and "Traceback" not in err


def test_help_names_what_there_is(capsys) -> None:
    assert set(command.METRICS) == set(METRICS) and command.ENGINES == ENGINES
    for arguments, words in {
        ("evaluate",): METRICS,
        ("infer",): ("present", "boxes", "recon", "on", "steps", "points", "radius", "softness"),
        ("data", "arrow-room"): (*PAPER_SHAPES, "--size 64"),
    }.items():
        with pytest.raises(SystemExit):
            main([*arguments, "--help"])
        said = " ".join(capsys.readouterr().out.split())
        assert [word for word in words if word not in said] == []
    fewer, own = command.N.split(" and d_steps")
    assert all(name in fewer for name in FEWER) and all(name in f"d_steps{own}" for name in OWN_NUMBER)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("GNM", GNM), ("SPACE", "space-mnist4-lite"), ("DooD", "dood-digits-lite"), ("AIR", "air-mnist-lite"),
        ("VAE", "vae-digits1-lite"), ("ConvDRAW", "convdraw-mnist4-lite"), ("GENESIS", "genesis-mnist4-lite"),
        ("successor", "successor-mnist4-lite"),
    ],
)  # fmt: skip
def test_help_names_what_infer_writes(kind: str, name: str) -> None:
    model, _ = load_checkpoint(name)
    side = model.config.image_size
    (line,) = (line for line in command.FOUND.splitlines() if kind in re.split(" {2,}|, ", line)[1:3])
    written = seen(model, torch.rand(2, model.config.channels, side, side)).keys()
    assert written <= set(re.findall(r"\w+", line)), line


def test_work_goes_on_when_nobody_reads_what_is_said(monkeypatch, tmp_path) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    assert main(["sample", GNM, "--n", "2", "--out", str(tmp_path / "a.npz")]) == 0
    assert main(["sample", "no-such-recipe", "--out", str(tmp_path / "b.npz")]) == 2


def test_sample_is_seeded_and_writes_npz_and_png(tmp_path) -> None:
    files = [str(tmp_path / name) for name in ("a.npz", "b.npz", "c.npz")]
    for file, seed in zip(files, "001", strict=True):
        assert main(["sample", GNM, "--n", "7", "--seed", seed, "--out", file]) == 0
    first, again, other = (np.load(file)["images"] for file in files)
    assert first.shape == (7, 1, 64, 64) and first.dtype == np.uint8
    assert (first == again).all() and not (first == other).all()
    assert main(["sample", GNM, "--n", "12", "--out", str(tmp_path / "sheet.png")]) == 0
    from PIL import Image

    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (10 * 66, 2 * 66)


def test_scenes_go_through_infer_and_come_back_as_boxes(tmp_path) -> None:
    scenes, found = str(tmp_path / "scenes.npz"), str(tmp_path / "found.npz")
    assert main(["data", "scenes", "mnist4", "--n", "5", "--out", scenes]) == 0
    truth = np.load(scenes)
    assert truth["boxes"].shape == (5, 4, 4) and truth["labels"].shape == (5, 4) and truth["present"].all()
    assert main(["infer", GNM, "--images", scenes, "--out", found]) == 0
    result = np.load(found)
    assert result["present"].shape == (5, 16) and result["boxes"].shape == (5, 16, 4)
    assert result["recon"].shape == (5, 1, 64, 64) and abs(result["present"].sum(1).mean() - 4) <= 0.4
    floats = str(tmp_path / "floats.npz")
    np.savez(floats, images=truth["images"].astype(np.float32) / 255)
    assert main(["infer", GNM, "--images", floats, "--out", found]) == 0
    assert (np.load(found)["present"] == result["present"]).all()


def test_a_recipe_trains_on_images_of_ones_own(tmp_path, capsys, refused) -> None:
    mine, run, other = (str(tmp_path / name) for name in ("mine.npz", "run", "other"))
    assert main(["data", "scenes", "mnist1", "--n", "40", "--out", mine]) == 0
    train = ["train", "vae-digits1-lite", "--images", mine, "--out", run]
    assert main([*train, "--steps", "2"]) == 0
    train[3] = str(tmp_path / "." / "run" / ".." / "mine.npz")  # the same file
    assert main([*train, "--steps", "3", "--resume"]) == 0
    capsys.readouterr()
    for option in (("--metrics", "binding"), ("--glyphs", "digits")):  # nothing else is known of these images
        assert refused("evaluate", run, "--n", "4", *option)
    assert "'vae-digits1-lite-own', not of 'vae-digits1-lite': give --images" in refused(
        *train[:2], "--out", run, "--resume"
    )
    assert refused(*train[:2], "--images", "", "--out", other) and not Path(other).exists()
    assert "these are the images" in refused("infer", run, "--images", mine, "--out", mine)
    assert "images" in np.load(mine)
    assert main(["evaluate", run, "--n", "4", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["metrics"]) == {"mse", "log_likelihood"}
    assert main(["sample", run, "--n", "2", "--out", str(tmp_path / "x.npz")]) == 0
    model, own = checkpoints.load_checkpoint(run)
    assert own.name == "vae-digits1-lite-own" and own.data.path == mine and model.config == own.model
    moved = str(tmp_path / "moved.npz")
    Path(mine).rename(moved)
    assert main([*train[:3], moved, *train[4:], "--steps", "4", "--resume"]) == 0
    assert checkpoints.load_checkpoint(run)[1].data.path == moved
    np.savez(moved, images=np.load(moved)["images"][::-1])  # every tenth is another one now
    capsys.readouterr()
    assert "data.digest was" in refused(*train[:3], moved, *train[4:], "--steps", "5", "--resume")
    assert main(["evaluate", run, "--n", "4"]) == 2
    assert "has other images than those that were trained on" in capsys.readouterr().err
    assert main(["sample", run, "--n", "2", "--out", str(tmp_path / "x.npz")]) == 0
    np.savez(tmp_path / "small.npz", images=np.zeros((40, 28, 28), np.uint8))
    capsys.readouterr()
    assert main(["train", "vae-digits1-lite", "--images", str(tmp_path / "small.npz"), "--out", other]) == 2
    assert "(40, 1, 28, 28)" in capsys.readouterr().err


def test_rooms_are_written_with_their_ground_truth(tmp_path) -> None:
    rooms = str(tmp_path / "rooms.npz")
    assert main(["data", "arrow-room", "--n", "2", "--size", "32", "--shapes", "cone,cube", "--out", rooms]) == 0
    truth = np.load(rooms)
    assert truth["images"].shape == (2, 3, 32, 32) and truth["boxes"].shape == (2, 4, 4) and truth["present"].all()
    assert truth["masks"].shape == (2, 32, 32) and set(truth["labels"].flatten()) == {0, 2, 4}
    assert truth["places"].shape == (2, 4, 2) and truth["headings"].shape == truth["metal"].shape == (2, 4)


def test_a_vae_infers_its_latent(tmp_path) -> None:
    scenes, found = str(tmp_path / "scenes.npz"), str(tmp_path / "found.npz")
    main(["data", "scenes", "mnist1", "--n", "3", "--out", scenes])
    assert main(["infer", "vae-digits1-lite", "--images", scenes, "--out", found]) == 0
    assert set(np.load(found).files) == {"latent_mean", "latent_std", "recon"}


def test_drawings_are_read_stroke_by_stroke(tmp_path) -> None:
    recipe = get_recipe("dood-digits-lite")  # noqa: F811
    name, found = str(tmp_path / "fresh.safetensors"), str(tmp_path / "found.npz")
    checkpoints.save_checkpoint(Path(name), recipe, recipe.build().state_dict(), 0, {})
    drawings = recipe.data.source("test").batch(3, torch.Generator().manual_seed(0)).images
    np.savez(tmp_path / "x.npz", images=drawings.numpy())
    assert main(["infer", name, "--images", str(tmp_path / "x.npz"), "--out", found]) == 0
    result = np.load(found)
    shapes = {key: result[key].shape for key in result.files}
    assert shapes == {
        "on": (3, 6), "steps": (3, 6, 28, 28), "recon": (3, 1, 28, 28),
        "points": (3, 6, 5, 2), "radius": (3, 6), "softness": (3, 6),
    }  # fmt: skip
    assert result["on"].dtype == bool and result["recon"].dtype == np.uint8
    assert main(["sample", name, "--n", "2", "--out", found]) == 0
    assert np.load(found)["images"].shape == (2, 1, 28, 28)
    assert main(["evaluate", name, "--n", "20"]) == 0


def test_the_checkpoint_that_was_used_is_said_on_standard_error(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    shipped = f"used the shipped checkpoint of {GNM}, 5,000 steps"
    assert main(["sample", GNM, "--n", "1", "--out", "x.npz"]) == 0
    assert capsys.readouterr() == ("", f"{shipped}\n")
    own = Path("runs") / GNM / "checkpoint.safetensors"
    recipe = get_recipe(GNM)  # noqa: F811
    checkpoints.save_checkpoint(own, recipe, recipe.build().state_dict(), 7, {})
    assert main(["infer", GNM, "--images", "x.npz", "--out", "y.npz"]) == 0
    assert capsys.readouterr() == ("", f"{shipped}; yours: {own}\n")
    assert main(["evaluate", str(own.parent), "--n", "5", "--metrics", "detection", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "ap50" in json.loads(out)["metrics"] and err == f"used {own}, {GNM}, 7 steps\n"


def test_a_metric_that_needs_more_images_is_left_out(capsys, refused) -> None:
    assert main(["evaluate", "vae-digits1-lite", "--n", "20"]) == 0
    out, err = capsys.readouterr()
    assert "mse" in out and "gap_x" not in out and err.startswith("binding is left out: it needs --n 200 or more\n")
    first, second = out.splitlines()[1:3]
    assert first.rindex(" ") == second.rindex(" ")  # values below each other
    assert "needs at least 200" in refused("evaluate", "vae-digits1-lite", "--n", "20", "--metrics", "binding")


def test_evaluate_prints_one_json_object(capsys) -> None:
    assert main(["evaluate", GNM, "--metrics", "detection", "--n", "20", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["name"] == GNM and result["n"] == 20 and result["seed"] == 0 and "ap50" in result["metrics"]


def test_data_list_says_what_is_at_hand(capsys) -> None:
    assert main(["data", "list", "--json"]) == 0
    assert "digits" in json.loads(capsys.readouterr().out)


def test_data_list_says_the_whole_command_that_fetches(capsys, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("neurosym_lite.data.sources.cache_folder", lambda: tmp_path)
    monkeypatch.delenv("NEUROSYM_DATA", raising=False)
    assert main(["data", "list"]) == 0
    assert "not here: python -m neurosym_lite data fetch mnist\n" in capsys.readouterr().out


def test_train_writes_checkpoint_and_record_and_resumes(recipe, tmp_path, capsys) -> None:  # noqa: F811
    out = str(tmp_path / "run")
    assert main(["train", recipe.name, "--steps", "5", "--out", out, "--device", "cpu"]) == 0
    assert main(["train", recipe.name, "--out", out, "--resume", "--device", "cpu"]) == 0
    said = capsys.readouterr().err
    assert "resumed test-digits4 at step 5" in said and f"from step 5 to {recipe.steps} on cpu, 1 thread" in said
    record = json.loads((tmp_path / "run" / "record.json").read_text())
    assert said.splitlines()[-len(record["metrics"]) :] == table(record["metrics"]).splitlines()
    assert record["steps"] == recipe.steps and {"ap50", "mse"} <= record["metrics"].keys()
    assert read_file(tmp_path / "run" / "checkpoint.safetensors", "checkpoint")[1]["step"] == recipe.steps


def test_a_second_run_never_overwrites_the_first(recipe, tmp_path, refused, capsys) -> None:  # noqa: F811
    out = tmp_path / "run"
    assert main(["train", recipe.name, "--steps", "2", "--out", str(out)]) == 0
    before = (out / "state.safetensors").read_bytes()
    capsys.readouterr()
    assert "add --resume" in refused("train", recipe.name, "--out", str(out))
    assert "begun with seed 0" in refused("train", recipe.name, "--seed", "5", "--resume", "--out", str(out))
    assert (out / "state.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "nonsense"], "unknown recipe 'nonsense'"),
        (["train", GNM, "--steps", "0"], "0 is not above 0"),
        (["train", GNM, "--steps", "many"], "invalid positive int"),
        (["train", GNM, "--steps", "9999999"], "--steps 9999999: gnm-gaussian-digits4-lite has"),
        (["train", GNM, "--threads", "100000"], "this machine has"),
        (["train", GNM, "--seed", "9" * 20], "is not between 0 and"),
        (["evaluate", GNM, "--metrics", "beauty"], "metric 'beauty': expected one of detection, reconstruction"),
        (["evaluate", "nothing.safetensors"], "no checkpoint at nothing.safetensors"),
        (["evaluate", "slvm-digits1-lite", "--sweeps", "2"], "has no sweeps"),
        (["evaluate", GNM, "--glyphs", "runes"], "runes"),
        (["evaluate", GNM, "--glyphs", "mnist", "--metrics", "d_steps"], "--glyphs mnist: d_steps cannot be asked of"),
        (["sample", GNM, "--out", "x.gif"], "ends in .npz or .png"),
        (["sample", GNM, "--out", "no/such/folder/x.npz"], "does not exist"),
        (["sample", GNM, "--n", "-3", "--out", "x.npz"], "-3 is not above 0"),
        (["data", "scenes", "mnist5", "--n", "3", "--out", "x.npz"], "unknown scene rule 'mnist5'"),
        (["data", "scenes", "mnist4", "--n", "3", "--size", "33", "--out", "x.npz"], "scene size 33"),
        (["data", "fetch", "runes"], "runes"),
        (["data", "arrow-room", "--n", "3", "--size", "0", "--out", "x.npz"], "0 is not above 0"),
        (["data", "arrow-room", "--n", "3", "--size", "8", "--out", "x.npz"], "a room of 8 pixels"),
        (["data", "arrow-room", "--n", "3", "--colours", "red,pink", "--out", "x.npz"], "unknown colour 'pink'"),
        (["paint"], "invalid choice: 'paint'"),
        ([], "the following arguments are required"),
    ],
)
def test_bad_arguments_get_one_line(arguments, message, refused, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in refused(*arguments)
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_gpu_that_is_not_there_is_said(refused, tmp_path) -> None:
    assert "torch sees no GPU" in refused("train", GNM, "--device", "cuda", "--out", str(tmp_path / "run"))


BAD_IMAGES = ["text", "truncated", "pickled", "no key", "wrong size", "wrong type", "out of range", "missing"]
BAD_IMAGES += ["not a number", "empty", "folder"]


@pytest.mark.parametrize("kind", BAD_IMAGES)
def test_bad_images_get_one_line(kind: str, refused, tmp_path) -> None:
    path, out = tmp_path / "images.npz", tmp_path / "out.npz"
    good = np.zeros((2, 1, 64, 64), np.uint8)
    np.savez(path, images=good)
    if kind == "text":
        path.write_text("hello")
    elif kind == "truncated":
        path.write_bytes(path.read_bytes()[:100])
    elif kind == "pickled":
        np.savez(path, images=np.array([object()], dtype=object))
    elif kind == "no key":
        np.savez(path, pictures=good)
    elif kind == "wrong size":
        np.savez(path, images=good[:, :, :32])
    elif kind == "wrong type":
        np.savez(path, images=good.astype(np.int64))
    elif kind == "not a number":
        np.savez(path, images=np.full_like(good, np.nan, np.float32))
    elif kind == "empty":
        np.savez(path, images=good[:0])
    elif kind == "folder":
        path.unlink(), path.mkdir()
    elif kind == "out of range":
        np.savez(path, images=good.astype(np.float32) + 2)
    else:
        path.unlink()
    out.write_bytes(b"precious")
    assert "images" in refused("infer", GNM, "--images", str(path), "--out", str(out))
    assert out.read_bytes() == b"precious"


def test_images_of_another_size_are_told_how_to_be_made(refused, tmp_path) -> None:
    rooms, out = str(tmp_path / "rooms.npz"), str(tmp_path / "out.npz")
    np.savez(rooms, images=np.zeros((1, 3, 128, 128), np.uint8))
    said = refused("infer", "gnm-arrow-lite", "--images", rooms, "--out", out)
    assert "has shape (1, 3, 128, 128)" in said and "`data arrow-room` make them so with --size 64" in said
    assert "make them" not in refused("infer", "dood-digits-lite", "--images", rooms, "--out", out)  # 28: none does
    np.savez(rooms, images=np.zeros((1, 1, 64, 64), np.uint8))
    assert "make them" not in refused("infer", "dood-digits-lite", "--images", rooms, "--out", out)
    assert "make them" not in refused("infer", "gnm-arrow-lite", "--images", rooms, "--out", out)  # no size helps


def test_bad_checkpoints_get_one_line_and_nothing_is_overwritten(refused, tmp_path) -> None:
    bad, out = tmp_path / "bad.safetensors", tmp_path / "out.npz"
    out.write_bytes(b"precious")
    good = checkpoints.checkpoint_path(GNM).read_bytes()
    for content in (b"", good[:5000], pickle.dumps({"a": 1}), b"PK" + good):
        bad.write_bytes(content)
        assert "not a readable neurosym_lite checkpoint" in refused("sample", str(bad), "--out", str(out))
    assert out.read_bytes() == b"precious"


def test_training_past_its_steps_changes_nothing(recipe, tmp_path, capsys) -> None:  # noqa: F811
    out = tmp_path / "run"
    assert main(["train", recipe.name, "--steps", "4", "--out", str(out)]) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert main(["train", recipe.name, "--steps", "2", "--out", str(out), "--resume"]) == 0
    assert "at step 4 already" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_an_output_that_cannot_be_is_refused_before_the_work(recipe, refused, tmp_path) -> None:  # noqa: F811
    (tmp_path / "file").touch(), (tmp_path / "folder.npz").mkdir()
    assert "cannot write to the folder" in refused("train", recipe.name, "--out", str(tmp_path / "file" / "run"))
    assert "a folder of that name" in refused("sample", GNM, "--out", str(tmp_path / "folder.npz"))
    (tmp_path / "checkpoint.safetensors").write_bytes(b"precious")
    assert "give another --out" in refused("train", recipe.name, "--out", str(tmp_path))


def test_what_no_memory_holds_gets_one_line(refused, tmp_path) -> None:
    out = str(tmp_path / "a.npz")
    assert "not enough memory" in refused("data", "scenes", "mnist4", "--n", str(10**14), "--out", out)
    assert "is more than" in refused("data", "scenes", "mnist4", "--n", str(10**20), "--out", out)


def test_the_best_by_a_metric_of_errors_has_the_least(recipe, tmp_path) -> None:  # noqa: F811
    run = loop.start(recipe, 0, torch.device("cpu"))
    for metric, sign in (("mse", -1), ("layers_behind", -1), ("layers_ground", -1), ("ap50", 1), ("layers_solids", 1)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(best, "evaluate", lambda *_, metric=metric, **__: {metric: 0.5})
            assert best.Best(tmp_path / metric, metric, run).sign == sign


def test_the_best_is_known_again_and_no_number_is_never_the_best(recipe, tmp_path, monkeypatch) -> None:  # noqa: F811
    run, given = loop.start(recipe, 0, torch.device("cpu")), iter([math.nan, 0.3, 0.2])
    monkeypatch.setattr(best, "evaluate", lambda *_, **__: {"ap50": next(given)})
    first = best.Best(tmp_path, "ap50", run)
    assert math.isnan(first.value)
    checkpoints.save_checkpoint(tmp_path / "next.safetensors", recipe, loop.shipped_weights(run), 1, {})
    first.look(tmp_path / "next.safetensors")
    again = best.Best(tmp_path, "ap50", run)  # measures nothing: the file says how good it is
    assert first.value == again.value == 0.3
    again.look(tmp_path / "next.safetensors")
    assert again.value == 0.3 and next(given, None) is None


def test_a_diverged_run_keeps_its_state_and_checkpoint(recipe, tmp_path, monkeypatch, capsys) -> None:  # noqa: F811
    out = tmp_path / "run"
    assert main(["train", recipe.name, "--steps", "2", "--out", str(out)]) == 0
    capsys.readouterr()
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    step = loop.train_step

    def diverge(run: loop.Run, source: object) -> None:
        with torch.no_grad():
            run.model.glimpse_decoder.net[-1].bias.fill_(float("nan"))
        step(run, source)

    monkeypatch.setattr(loop, "train_step", diverge)
    assert main(["train", recipe.name, "--out", str(out), "--resume"]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "not finite" in line and f"{out / 'bad_batch.npz'}" in line and "(step 2)" in line
    (out / "bad_batch.npz").unlink()
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_full_disk_gets_one_line(refused, tmp_path) -> None:
    (tmp_path / "out.npz").write_bytes(b"precious")
    original = os.fsync

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    os.fsync = full
    try:
        assert "No space left" in refused("sample", GNM, "--n", "1", "--out", str(tmp_path / "out.npz"))
    finally:
        os.fsync = original
    assert (tmp_path / "out.npz").read_bytes() == b"precious" and os.listdir(tmp_path) == ["out.npz"]


def run_python(*arguments: str, stdout: int | None = None, first: Path | None = None) -> subprocess.Popen:
    """Starts Python on this package; modules in the folder `first` come before all others."""
    places = [str(place) for place in (first, Path(__file__).parents[1]) if place]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(places)}
    command = [sys.executable, *arguments]
    return subprocess.Popen(command, env=environment, stdout=stdout, stderr=subprocess.PIPE, text=True)


def test_ctrl_c_saves_and_leaves_with_130(tmp_path) -> None:
    out = tmp_path / "run"
    process = run_python("-m", "neurosym_lite", "train", GNM, "--out", str(out))
    deadline = time.monotonic() + 120
    while not (out / "state.safetensors").exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    begun, interrupted = err.splitlines()
    assert process.returncode == 130 and begun == f"training {GNM} from step 0 to 5,000 on cpu, 1 thread"
    assert (step := read_file(out / "state.safetensors", "state")[1]["step"]) > 0
    assert f"--resume goes on; {checkpoints.LOOK}" in interrupted and "--resume --minutes 0.1," in checkpoints.LOOK
    assert main(["train", GNM, "--out", str(out), "--resume", "--minutes", "0.1", "--steps", str(step + 1)]) == 0
    assert main(["sample", str(out), "--n", "1", "--out", str(tmp_path / "x.npz")]) == 0


def test_a_log_has_a_line_now_and_then(recipe, tmp_path, monkeypatch, capsys) -> None:  # noqa: F811
    monkeypatch.setattr(train_command, "SAY_SECONDS", 0.0)
    assert main(["train", recipe.name, "--steps", "3", "--out", str(tmp_path / "run")]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines[1:4]] == [f"step {step} of 3" for step in (1, 2, 3)]
    monkeypatch.setattr(train_command, "SAY_SECONDS", 60.0)
    assert main(["train", recipe.name, "--steps", "6", "--out", str(tmp_path / "run"), "--resume"]) == 0
    assert "step 5 of 6" not in capsys.readouterr().err


def test_the_package_trains_without_the_books_packages(tmp_path) -> None:
    """With torch, numpy, scikit-learn, einops, jaxtyping and safetensors alone."""
    program = (
        "import sys\n"
        "for name in ('matplotlib', 'seaborn', 'ipywidgets', 'pooch', 'tqdm', 'PIL', 'IPython', 'beartype'):\n"
        "    sys.modules[name] = None\n"
        "from neurosym_lite.__main__ import main\n"
        "from neurosym_lite.commands import data, models, train, train_queue\n"
        "assert 'sklearn' not in sys.modules, 'more than a second of every command: import it where it is used'\n"
        f"sys.exit(main(['train', '{GNM}', '--steps', '2', '--out', sys.argv[1]]))\n"
    )
    process = run_python("-c", program, str(tmp_path / "run"))
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert (tmp_path / "run" / "checkpoint.safetensors").is_file()


def test_checkpoints_on_the_way_the_newest_and_the_best(recipe, tmp_path, refused) -> None:  # noqa: F811
    out = tmp_path / "run"
    asked = ["--keep", "3", "--keep-last", "2", "--keep-best", "mse"]
    assert "--keep-best beauty: expected one of count_right" in refused(
        "train", recipe.name, "--out", str(tmp_path / "other"), "--keep", "3", "--keep-best", "beauty"
    )
    assert "--keep-best count_mean: a number of parts is neither better" in refused(
        "train", recipe.name, "--out", str(tmp_path / "fourth"), "--keep", "3", "--keep-best", "count_mean"
    )
    assert not any((tmp_path / name / "state.safetensors").exists() for name in ("other", "fourth"))  # nothing begun
    assert "need --keep N" in refused("train", recipe.name, "--out", str(tmp_path / "third"), "--keep-last", "2")
    assert main(["train", recipe.name, "--out", str(out), *asked]) == 0
    assert sorted(path.name for path in (out / "kept").iterdir()) == ["0000009.safetensors", "0000012.safetensors"]
    _, best = read_file(out / "best.safetensors", "checkpoint")
    measured = {}
    for step in (0, 3, 6, 9, 12):
        run = loop.start(recipe, 0, torch.device("cpu"))
        loop.fit(run, tmp_path / f"{step}.safetensors", steps=step)
        path = tmp_path / f"at{step}.safetensors"
        checkpoints.save_checkpoint(path, recipe, loop.shipped_weights(run), step, {})
        measured[step] = evaluate(checkpoints.load_checkpoint(str(path))[0], recipe, recipe.metrics, n=200)["mse"]
    assert best["step"] == min(measured, key=measured.get) and best["metrics"]["mse"] == min(measured.values())
    plain = tmp_path / "plain"
    assert main(["train", recipe.name, "--out", str(plain)]) == 0
    ours, theirs = (read_file(folder / "state.safetensors", "state")[0] for folder in (out, plain))
    assert [name for name in theirs if not torch.equal(ours[name], theirs[name])] == []  # looking changed nothing


def test_measuring_can_be_left_to_another_machine(recipe, tmp_path) -> None:  # noqa: F811
    out = tmp_path / "run"
    assert main(["train", recipe.name, "--out", str(out), "--unmeasured"]) == 0
    record = json.loads((out / "record.json").read_text())
    assert record["steps"] == recipe.steps and record["metrics"] == {}
    assert checkpoints.load_checkpoint(str(out))[1] == recipe


def test_what_was_measured_stays_where_a_run_is_ended_again_without(recipe, tmp_path, monkeypatch) -> None:  # noqa: F811
    out = tmp_path / "run"
    assert main(["train", recipe.name, "--out", str(out)]) == 0
    measured = json.loads((out / "record.json").read_text())["metrics"]
    given, make = {}, records.make_record
    monkeypatch.setattr(records, "make_record", lambda *args, **of: given.update(of) or make(*args, **of))
    assert main(["train", recipe.name, "--out", str(out), "--resume", "--unmeasured"]) == 0
    record = json.loads((out / "record.json").read_text())
    _, header = read_file(out / "checkpoint.safetensors", "checkpoint")
    assert record["metrics"] == header["metrics"] == measured != {}
    assert given["minutes"] == read_file(out / "state.safetensors", "state")[1]["seconds"] / 60
    files = {path.name for path in out.iterdir() if not path.name.startswith(".")}
    assert files == {"state.safetensors", "checkpoint.safetensors", "record.json"}


def test_as_many_threads_as_cores_can_be_asked_for() -> None:
    threads = torch.get_num_threads()
    try:
        assert train_command._device("cpu", os.cpu_count()).type == "cpu" and torch.get_num_threads() == os.cpu_count()
    finally:
        torch.set_num_threads(threads)


def lacks_data(*arguments: object) -> dict[str, float]:
    raise DataError("put emnist there")


def test_a_run_whose_metrics_lack_data_keeps_its_model(recipe, tmp_path, monkeypatch, capsys) -> None:  # noqa: F811
    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(train_command, "evaluate", lacks_data)
        assert main(["train", recipe.name, "--out", str(out)]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"{recipe.name} is trained, its checkpoint is in {out}" in said
    assert "the same command with --resume measures it and writes the record (put emnist there)" in said
    assert load_checkpoint(str(out))[1] is recipe
    assert not (out / "record.json").exists()  # so train-queue knows that there is work left
    assert main(["train", recipe.name, "--out", str(out), "--resume"]) == 0
    measured = json.loads((out / "record.json").read_text())["metrics"]
    assert "ap50" in measured and read_file(out / "checkpoint.safetensors", "checkpoint")[1]["metrics"] == measured
    monkeypatch.setattr(train_command, "evaluate", lacks_data)
    assert main(["train", recipe.name, "--out", str(out), "--resume"]) == 2  # what was measured stays
    assert json.loads((out / "record.json").read_text())["metrics"] == measured


def test_an_interrupt_while_measuring_leaves_the_model(recipe, tmp_path, monkeypatch) -> None:  # noqa: F811
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "run"
    monkeypatch.setattr(train_command, "evaluate", interrupt)
    assert main(["train", recipe.name, "--out", str(out)]) == 130
    assert load_checkpoint(str(out))[1] is recipe
    assert not (out / "record.json").exists()  # so train-queue knows that there is work left


def test_drawing_a_training_set_is_said(recipe, tmp_path, monkeypatch, capsys) -> None:  # noqa: F811
    finite = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, scenes=5))
    monkeypatch.setitem(RECIPES, finite.name, finite)
    assert main(["train", finite.name, "--steps", "1", "--out", str(tmp_path / "run"), "--unmeasured"]) == 0
    assert "drawing 5 training scenes first\n" in capsys.readouterr().err
    assert main(["train", finite.name, "--minutes", "1e-9", "--out", str(tmp_path / "short"), "--unmeasured"]) == 0
    assert "drawing the scenes took all of the 1e-09 minutes: give more\n" in capsys.readouterr().err


def test_a_run_that_its_minutes_stopped_is_not_measured(recipe, tmp_path, capsys) -> None:  # noqa: F811
    out = tmp_path / "run"
    assert main(["train", recipe.name, "--out", str(out), "--minutes", "1e-9"]) == 0
    assert "14 steps left: --resume goes on" in capsys.readouterr().err
    assert json.loads((out / "record.json").read_text())["metrics"] == {}


def test_another_batch_is_another_run(recipe, tmp_path, refused, capsys) -> None:  # noqa: F811
    out = tmp_path / "run"
    assert main(["train", recipe.name, "--out", str(out), "--batch", "6", "--rate", "1.2", "--steps", "2"]) == 0
    capsys.readouterr()
    assert "begun with other settings" in refused("train", recipe.name, "--out", str(out), "--resume")
    config = json.loads((out / "record.json").read_text())["config"]
    assert config["phases"][0]["batch"] == 6
    assert main(["evaluate", str(out / "checkpoint.safetensors"), "--n", "20", "--metrics", "detection"]) == 0


def test_a_graph_without_a_gpu_is_refused(recipe, tmp_path, refused) -> None:  # noqa: F811
    out = str(tmp_path / "run")
    assert "a CUDA graph needs one GPU" in refused(
        "train", recipe.name, "--out", out, "--engine", "graph", "--device", "cpu"
    )


def test_another_torch_is_warned_of_and_gone_on_with(recipe, tmp_path, monkeypatch, capsys) -> None:  # noqa: F811
    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(torch, "__version__", "1.13.0")
        assert main(["train", recipe.name, "--out", str(out), "--steps", "2"]) == 0
    capsys.readouterr()
    assert main(["train", recipe.name, "--out", str(out), "--steps", "3", "--resume"]) == 0
    first, *_ = capsys.readouterr().err.splitlines()
    assert first.startswith("warning: ") and "was written by torch 1.13.0 and goes on with" in first


def test_a_disk_that_fills_while_training_loses_nothing(recipe, tmp_path, monkeypatch, capsys) -> None:  # noqa: F811
    out = tmp_path / "run"
    assert main(["train", recipe.name, "--out", str(out), "--steps", "3"]) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert main(["train", recipe.name, "--out", str(out), "--steps", "5", "--resume"]) == 2
    assert "cannot write" in (line := capsys.readouterr().err.splitlines()[-1]) and "No space left" in line
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert main(["train", recipe.name, "--out", str(out), "--steps", "5", "--resume"]) == 0


def test_a_run_whose_state_is_gone_is_not_written_over(recipe, tmp_path, refused, capsys) -> None:  # noqa: F811
    out = tmp_path / "run"
    train = ["train", recipe.name, "--out", str(out), "--resume", "--keep", "4", "--keep-best", "mse"]
    assert main(train) == 0
    capsys.readouterr()
    (out / "state.safetensors").unlink()
    for name in ("checkpoint.safetensors", "record.json", "best.safetensors", "kept/0000004.safetensors"):
        before = (out / name).read_bytes()
        for options in (train, [word for word in train if word != "--resume"]):
            assert f"{name} is of a run whose state is not there: give another --out" in refused(*options)
        assert (out / name).read_bytes() == before
        (out / name).unlink()


def test_what_is_kept_has_a_state_to_go_on_from(recipe, tmp_path, monkeypatch) -> None:  # noqa: F811
    """Else a run that is killed after its first look at --keep-best could not be gone on with."""
    out = tmp_path / "run"
    train = ["train", recipe.name, "--out", str(out), "--resume", "--keep", "1", "--keep-best", "mse", "--steps", "2"]
    with monkeypatch.context() as patch:
        patch.setattr(loop, "fit", lambda *_, **__: sys.exit("killed"))
        with pytest.raises(SystemExit, match="killed"):
            main(train)
    assert (out / "best.safetensors").is_file() and main(train) == 0


def test_a_compiler_that_does_not_work_is_one_line(recipe, tmp_path, capsys, monkeypatch) -> None:  # noqa: F811
    def broken(*_: object, **__: object) -> None:
        from torch._inductor.exc import InductorError

        raise InductorError(RuntimeError("no C++ compiler"), None)

    monkeypatch.setattr(torch, "compile", broken)
    assert main(["train", recipe.name, "--out", str(tmp_path / "run"), "--engine", "compile"]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert "--engine compile does not work here" in said and "take --engine eager" in said
