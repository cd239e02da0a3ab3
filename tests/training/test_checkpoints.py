"""Files: written whole or not at all, and every way of being wrong has its line."""

import dataclasses
import errno
import json
import os
import pickle

import pytest
import torch
from safetensors.torch import save_file

from neurosym_lite.training import checkpoints, keeping
from neurosym_lite.training.checkpoints import (
    CheckpointError,
    digest,
    load_checkpoint,
    prepare_folder,
    read_file,
    save_checkpoint,
    settings,
    write_atomically,
    write_file,
)
from neurosym_lite.training.recipe import on_images
from neurosym_lite.training.recipes import RECIPES


@pytest.fixture
def shipped(recipe, tmp_path, monkeypatch):
    """A checkpoint of the small recipe in the place of shipped ones."""
    monkeypatch.setattr(checkpoints, "CHECKPOINTS", tmp_path)
    path = tmp_path / f"{recipe.name}.safetensors"
    save_checkpoint(path, recipe, recipe.build().state_dict(), 14, {"ap50": 0.5})
    return path


def test_a_checkpoint_comes_back_as_it_was_to_half_precision(shipped, recipe) -> None:
    model, loaded = load_checkpoint(recipe.name)
    tensors, header = read_file(shipped, "checkpoint")
    assert loaded is recipe and not model.training and header["metrics"] == {"ap50": 0.5} and header["step"] == 14
    for name, tensor in model.state_dict().items():
        assert tensors[name].dtype == torch.float16 and tensor.dtype == torch.float32
        torch.testing.assert_close(tensor, tensors[name].float(), rtol=0, atol=0)
    assert load_checkpoint(str(shipped))[1] is recipe
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_loading_leaves_the_random_state_alone(shipped, recipe) -> None:
    before = torch.get_rng_state()
    load_checkpoint(recipe.name)
    assert torch.equal(before, torch.get_rng_state())


def test_a_missing_checkpoint_says_how_to_make_one(recipe, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(checkpoints, "CHECKPOINTS", tmp_path)
    with pytest.raises(CheckpointError, match=f"no shipped checkpoint.*train {recipe.name}"):
        load_checkpoint(recipe.name)
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        load_checkpoint(str(tmp_path / "nothing.safetensors"))
    with pytest.raises(ValueError, match="unknown recipe 'nonsense'"):
        load_checkpoint("nonsense")


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_truncated_checkpoint_is_refused(shipped, recipe, keep: int) -> None:
    content = shipped.read_bytes()
    shipped.write_bytes(content[:keep])
    with pytest.raises(CheckpointError, match="not a readable neurosym_lite checkpoint"):
        load_checkpoint(recipe.name)


def test_a_pickle_is_refused_unopened(shipped, recipe, tmp_path) -> None:
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    shipped.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(CheckpointError, match="pickles are never loaded"):
        load_checkpoint(recipe.name)
    assert not (tmp_path / "sprung").exists()


def test_a_foreign_safetensors_file_is_refused(shipped, recipe) -> None:
    save_file({"a": torch.zeros(2)}, shipped)
    with pytest.raises(CheckpointError, match="not a readable neurosym_lite checkpoint"):
        load_checkpoint(recipe.name)


def test_a_renamed_checkpoint_is_named(shipped, recipe, tmp_path) -> None:
    other = next(name for name in RECIPES if name != recipe.name)
    shipped.rename(tmp_path / f"{other}.safetensors")
    with pytest.raises(CheckpointError, match=f"holds a checkpoint of '{recipe.name}', expected '{other}'"):
        load_checkpoint(other)


def test_tensors_of_another_model_are_refused(shipped, recipe) -> None:
    tensors = recipe.build().state_dict()
    for broken, message in [
        ({**tensors, "extra": torch.zeros(1)}, "1 unknown"),
        (dict(list(tensors.items())[1:]), "1 tensors missing"),
        ({**tensors, "encoder.0.0.bias": torch.zeros(5)}, "has shape \\(5,\\), expected \\(4,\\)"),
        ({**tensors, "encoder.0.0.bias": torch.full((4,), float("nan"))}, "NaN or Inf in encoder.0.0.bias"),
    ]:
        save_checkpoint(shipped, recipe, broken, 14, {})
        with pytest.raises(CheckpointError, match=message):
            load_checkpoint(recipe.name)


def test_a_state_is_not_a_checkpoint(shipped, recipe) -> None:
    write_file(shipped, "state", {"a": torch.zeros(1)}, recipe=recipe.name)
    with pytest.raises(CheckpointError, match="holds a state, expected a checkpoint: the command that began it, with"):
        load_checkpoint(recipe.name)


def test_a_folder_stands_for_the_checkpoint_in_it(shipped, recipe, tmp_path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    with pytest.raises(CheckpointError, match=r"no checkpoint at .*run/checkpoint.safetensors"):
        load_checkpoint(str(folder))
    write_file(folder / keeping.STATE, "state", {"a": torch.zeros(1)}, recipe=recipe.name)
    with pytest.raises(CheckpointError, match=r"holds a state, expected a checkpoint: .* writes a checkpoint"):
        load_checkpoint(str(folder))
    shipped.rename(folder / keeping.CHECKPOINT)
    assert load_checkpoint(str(folder))[1] is recipe


def test_a_file_of_a_later_format_is_refused(shipped, recipe, monkeypatch) -> None:
    monkeypatch.setattr(checkpoints, "FORMAT", 3)
    with pytest.raises(CheckpointError, match="has format 2, this version reads 3"):
        load_checkpoint(recipe.name)


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"cannot write .*file: No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_headers_are_json(shipped) -> None:
    _, header = read_file(shipped, "checkpoint")
    assert json.loads(json.dumps(header)) == header and header["recipe"] == "test-digits4"


def test_a_checkpoint_of_other_settings_is_refused(shipped, recipe, monkeypatch) -> None:
    other = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, sigma=0.7))  # shapes agree
    monkeypatch.setitem(RECIPES, recipe.name, other)
    with pytest.raises(CheckpointError, match="trained with other settings"):
        load_checkpoint(recipe.name)
    data = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, rule="mnist10"))
    monkeypatch.setitem(RECIPES, recipe.name, data)
    with pytest.raises(CheckpointError, match="trained with other settings"):
        load_checkpoint(recipe.name)


def test_settings_are_what_decides_a_runs_numbers(recipe) -> None:
    told = dataclasses.replace(recipe, about="other words", metrics=())
    assert settings(told) == settings(recipe) != settings(dataclasses.replace(recipe, ema=0.5))
    assert settings(on_images(recipe, "here.npz", "digest")) == settings(on_images(recipe, "there.npz", "digest"))
    assert settings(on_images(recipe, "here.npz", "digest")) != settings(on_images(recipe, "here.npz", "other"))


def test_a_digest_tells_all_that_a_file_says() -> None:
    tensors, header = {"a": torch.arange(4.0), "b": torch.zeros(2, 2)}, {"step": 1, "seed": 2}
    same = digest(dict(reversed(tensors.items())), dict(reversed(header.items())))
    assert digest(tensors, header) == same
    others = [
        (tensors | {"a": torch.tensor([0.0, 1, 2, 4])}, header),
        (tensors | {"b": torch.zeros(4)}, header),
        (tensors | {"b": torch.zeros(2, 2, dtype=torch.int32)}, header),  # the same bytes
        ({"a": tensors["a"], "c": tensors["b"]}, header),
        ({"a": tensors["a"]}, header),
        (tensors, header | {"step": 2}),
        (tensors, {"step": 1}),
    ]
    assert len({same, *(digest(*other) for other in others)}) == 8


def test_a_checkpoint_may_have_any_name(shipped, recipe, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    shipped.rename(tmp_path / "mine.ckpt")
    assert load_checkpoint("mine.ckpt")[1] is recipe


def test_a_folder_is_cleared_of_our_half_written_files_alone(tmp_path) -> None:
    ours, theirs = tmp_path / ".state.safetensors.123.tmp", tmp_path / ".notes.tmp"
    ours.touch(), theirs.touch(), (tmp_path / ".d.tmp").mkdir()
    prepare_folder(tmp_path, ("state.safetensors",))
    assert not ours.exists() and theirs.exists() and (tmp_path / ".d.tmp").is_dir()
    with pytest.raises(OSError, match="cannot write to the folder"):
        prepare_folder(theirs, ("state.safetensors",))


def test_a_recipe_of_ones_own_is_given(recipe, tmp_path) -> None:
    mine = dataclasses.replace(recipe, name="mine")
    path = tmp_path / "mine.safetensors"
    save_checkpoint(path, mine, mine.build().state_dict(), 14, {})
    with pytest.raises(CheckpointError, match=r"'mine', which this version does not know: .* load_checkpoint\(path, "):
        load_checkpoint(path)
    assert load_checkpoint(path, mine)[1] is mine and load_checkpoint(str(path), mine)[1] is mine
    with pytest.raises(CheckpointError, match="was trained by recipe 'mine', not by 'test-digits4': give that one"):
        load_checkpoint(path, recipe)
    other = dataclasses.replace(mine, model=dataclasses.replace(mine.model, sigma=0.7))
    with pytest.raises(CheckpointError, match="other settings of 'mine' than the recipe that was given has"):
        load_checkpoint(path, other)


def test_a_file_that_is_replaced_while_it_is_read_is_one_of_the_two(tmp_path, monkeypatch) -> None:
    path, other = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    for place, step in ((path, 1), (other, 2)):
        checkpoints.write_file(place, "checkpoint", {"w": torch.full((3,), float(step))}, step=step)
    parse = checkpoints._header

    def slow(*arguments):
        found = parse(*arguments)
        os.replace(other, path)  # after the header was read
        return found

    monkeypatch.setattr(checkpoints, "_header", slow)
    tensors, header = checkpoints.read_file(path, "checkpoint")
    assert header["step"] == 1 and tensors["w"].eq(1).all()


def test_a_link_stays_a_link(tmp_path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "link.json").symlink_to(tmp_path / "shared" / "real.json")
    checkpoints.write_atomically(tmp_path / "link.json", b"{}")
    assert (tmp_path / "link.json").is_symlink() and (tmp_path / "shared" / "real.json").read_bytes() == b"{}"
    assert [path.name for path in (tmp_path / "shared").iterdir()] == ["real.json"]
