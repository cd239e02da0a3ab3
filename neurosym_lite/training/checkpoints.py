"""Two kinds of file, one format: safetensors with a JSON header, never a pickle.

A *checkpoint* is what is shipped: float16 weights (averaged where the recipe says so), enough to sample and infer.
A *state* is what a run resumes from, bit by bit: float32 weights, averages, optimiser, generators, step.
Both are written to a temporary file beside their place and renamed, so a reader sees the old file or the new one.
"""

import contextlib
import dataclasses
import hashlib
import io
import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from neurosym_lite import __version__
from neurosym_lite.training.recipe import Recipe, on_images
from neurosym_lite.training.recipes import RECIPES, get_recipe

CHECKPOINTS = Path(__file__).resolve().parents[2] / "data" / "checkpoints"
STATE, CHECKPOINT = "state.safetensors", "checkpoint.safetensors"  # in a run's folder
LOOK = "the command that began it, with --resume --minutes 0.1, writes a checkpoint to look at"
HEADER_KEY = "neurosym_lite"  # the one metadata entry: our header as JSON
FORMAT = 2  # raised when old files can no longer be read; 2: with a digest


class CheckpointError(ValueError):
    """A checkpoint or state that cannot be used: what is wrong with it, and what to do."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is never seen half written: temporary file, flush to disk, rename.

    Through a link, to the file that it points at. Raises OSError (full disk, read-only folder) with the old file left
    as it was and no temporary file behind.
    """
    place = Path(os.path.realpath(path))
    temporary = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, place)
    except OSError as error:
        raise OSError(error.errno, f"cannot write {path}: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def save_npz(path: Path, **arrays: Tensor) -> None:
    """Write arrays as one npz, whole or not at all."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: tensor.numpy() for name, tensor in arrays.items()})
    write_atomically(path, buffer.getvalue())


def prepare_folder(folder: Path, names: tuple[str, ...]) -> None:
    """Make a folder that files of these names can be written to; clear what a killed process left half written.

    Raises OSError, naming the folder, where that cannot be.
    """
    probe = folder / f".{names[0]}.{os.getpid()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
    except OSError as error:
        raise OSError(error.errno, f"cannot write to the folder {folder}: {error.strerror}") from error
    for name in names:
        for path in folder.glob(f".{name}.*.tmp"):
            if path.is_file():
                path.unlink(missing_ok=True)


def digest(tensors: dict[str, Tensor], header: dict[str, Any]) -> str:
    """A fingerprint of all that a file says, which no damage leaves as it was."""
    total = hashlib.blake2b(json.dumps(header, sort_keys=True).encode(), digest_size=16)
    for name in sorted(tensors):
        tensor = tensors[name]
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        total.update(tensor.flatten().view(torch.uint8).numpy())
    return total.hexdigest()


def write_file(path: Path, kind: str, tensors: dict[str, Tensor], **header: Any) -> None:
    """Write a file of a kind: a checkpoint, a state, a parser. `header` is plain data, kept as JSON."""
    about = {"format": FORMAT, "kind": kind, "package_version": __version__, "torch_version": torch.__version__}
    full = json.loads(json.dumps(about | header))
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(full | {"digest": digest(whole, full)})
    write_atomically(path, save_tensors(whole, {HEADER_KEY: text}))


def read_file(path: Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and header of a file of that kind. Raises CheckpointError, in one line, for anything else."""
    content = _there(path, kind).read_bytes()  # at once: a file that is being replaced is the old one or the new one
    header = _header(io.BytesIO(content), len(content), path, kind)
    written = header.pop("digest", None)
    try:
        tensors = load_tensors(content)
        if digest(tensors, header) != written:
            raise ValueError("the content is not what was written")
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise _unreadable(path, kind, error) from error
    return tensors, header


def read_header(path: Path, kind: str) -> dict[str, Any]:
    """The header alone, without the tensors. Raises CheckpointError as `read_file`."""
    with open(_there(path, kind), "rb") as file:
        return _header(file, os.fstat(file.fileno()).st_size, path, kind)


def _there(path: Path, kind: str) -> Path:
    """The path, where there is a file."""
    if not path.is_file():
        raise CheckpointError(f"no {kind} at {path}: check the path, or train it (python -m neurosym_lite list)")
    return path


def _header(file: io.BufferedIOBase, size: int, path: Path, kind: str) -> dict[str, Any]:
    """Our header at the beginning of an open file of that many bytes."""
    try:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > size:
            raise ValueError("the header is longer than the file")
        header = json.loads(json.loads(file.read(length))["__metadata__"][HEADER_KEY])
        found, version = header["kind"], header["format"]
    except (struct.error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _unreadable(path, kind, error) from error
    if version != FORMAT:
        raise CheckpointError(f"{path} has format {version}, this version reads {FORMAT}: train it again")
    if found != kind:
        advice = f": {LOOK}" if (found, kind) == ("state", "checkpoint") else ""
        raise CheckpointError(f"{path} holds a {found}, expected a {kind}{advice}")
    return header


def _unreadable(path: Path, kind: str, error: Exception) -> CheckpointError:
    advice = "begin anew in another --out" if kind == "state" else "fetch it, train it again or move it away"
    return CheckpointError(
        f"{path} is not a readable neurosym_lite {kind} (truncated, damaged or of another format; "
        f"pickles are never loaded): {advice} [{type(error).__name__}]"
    )


def fill(model: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    """Copy tensors into a model of the same build. Raises CheckpointError when names or shapes differ."""
    own = model.state_dict()
    missing, extra = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
    if missing or extra:
        raise CheckpointError(
            f"{path} is of another model: {len(missing)} tensors missing (first: {missing[:1]}), "
            f"{len(extra)} unknown (first: {extra[:1]})"
        )
    for name, tensor in own.items():
        if tensor.shape != tensors[name].shape:
            raise CheckpointError(
                f"{path} is of another model: {name} has shape {tuple(tensors[name].shape)}, "
                f"expected {tuple(tensor.shape)}"
            )
        if not torch.isfinite(tensors[name]).all():
            raise CheckpointError(f"{path} holds NaN or Inf in {name}: take an earlier checkpoint")
    model.load_state_dict({name: tensor.to(own[name].dtype) for name, tensor in tensors.items()})


def save_checkpoint(path: str | Path, recipe: Recipe, weights: dict[str, Tensor], step: int, metrics: dict) -> None:
    """Ship a model: weights as float16."""
    half = {name: tensor.half() for name, tensor in weights.items()}
    about = {"recipe": recipe.name, "step": step, "metrics": metrics, "config": recipe.as_dict()}
    write_file(Path(path), "checkpoint", half, **about)


def checkpoint_path(name: str) -> Path:
    """Where the checkpoint of a NAME is: the shipped one of that recipe, else a file or a run's folder as given."""
    if name in RECIPES:
        return CHECKPOINTS / f"{name}.safetensors"
    if Path(name).is_dir():
        checkpoint, state = Path(name) / CHECKPOINT, Path(name) / STATE
        return state if state.is_file() and not checkpoint.is_file() else checkpoint  # a state says what to do
    if not name.endswith(".safetensors") and os.sep not in name and not Path(name).is_file():
        get_recipe(name)  # raises with names that are close
    return Path(name)


def first_checkpoint(recipe: Recipe, runs: Path) -> Path | None:
    """The file with the weights that a recipe goes on from: shipped, or of a run in `runs` that has come to its end.

    None where there is neither; ask only a recipe that has a `start`.
    """
    name = str(recipe.start)
    if (shipped := checkpoint_path(name)).is_file():
        return shipped
    trained = runs / name / CHECKPOINT
    try:
        header = read_header(trained, "checkpoint")
        return trained if header["recipe"] == name and header["step"] >= RECIPES[name].steps else None
    except (CheckpointError, KeyError, TypeError):
        return None


def settings(recipe: Recipe, stored: dict[str, Any] | None = None) -> dict[str, Any]:
    """What decides a run's numbers: all of a recipe but its description, its metrics, and where its images lie.

    Of the recipe as a file has it where that is given, with the switches that came after the file was written.
    """
    config = json.loads(json.dumps(recipe.as_dict())) if stored is None else stored
    parts = {part: _filled(config.get(part, {}), getattr(recipe, part)) for part in ("model", "data")}
    parts["data"].pop("path", None)
    return {name: value for name, value in (config | parts).items() if name not in ("about", "metrics")}


def _filled(stored: dict[str, Any], settings: Any) -> dict[str, Any]:
    """Settings as a file has them; what a switch was before it existed is its default, as JSON has it."""
    fields = dataclasses.fields(settings)
    known = {f.name: f.default for f in fields if f.default is not dataclasses.MISSING}
    filled = json.loads(json.dumps(known, default=dataclasses.asdict)) | stored
    for f in fields:  # settings within settings
        value = getattr(settings, f.name)
        if dataclasses.is_dataclass(value) and isinstance(filled.get(f.name), dict):
            filled[f.name] = _filled(filled[f.name], value)
    return filled


def load_checkpoint(name: str | Path, recipe: Recipe | None = None) -> tuple[nn.Module, Recipe]:
    """A trained model by recipe name, checkpoint file or a run's folder, in evaluation mode, with its recipe.

    A recipe of one's own, which this package does not know by name, is given as `recipe`. Raises CheckpointError for a
    missing, damaged or foreign file, or one of another recipe than its name or `recipe` says; ValueError for a name
    that is neither a recipe nor a file.
    """
    name = str(name)
    path = checkpoint_path(name)
    if name in RECIPES and not path.is_file():
        raise CheckpointError(
            f"recipe {name!r} has no shipped checkpoint ({path} is missing; checkpoints come with the repository): "
            f"train it with `python -m neurosym_lite train {name}`, then name the checkpoint file"
        )
    tensors, header = read_file(path, "checkpoint")
    recipe_name = str(header.get("recipe"))
    if name in RECIPES and recipe_name != name:
        raise CheckpointError(f"{path} holds a checkpoint of {recipe_name!r}, expected {name!r}: was it renamed?")
    known = recipe or RECIPES.get(recipe_name) or _on_own_images(header)
    if known is None:
        raise CheckpointError(
            f"{path} was trained by recipe {recipe_name!r}, which this version does not know: if it is your own, "
            "give it as load_checkpoint(path, recipe)"
        )
    if known.name != recipe_name:
        raise CheckpointError(f"{path} was trained by recipe {recipe_name!r}, not by {known.name!r}: give that one")
    _check_settings(header, known, path, "this version" if recipe is None else "the recipe that was given")
    with torch.random.fork_rng(devices=[]):
        model = known.build()
    fill(model, tensors, path)
    return model.eval().requires_grad_(False), known


def _on_own_images(header: dict[str, Any]) -> Recipe | None:
    """The recipe of a run on images of one's own, which the header describes; None where it is of none."""
    data = header.get("config", {}).get("data", {})
    like, path, digest = (str(data.get(name, "")) for name in ("like", "path", "digest"))
    return on_images(RECIPES[like], path, digest) if like in RECIPES and digest else None


def _check_settings(header: dict[str, Any], recipe: Recipe, path: Path, whose: str) -> None:
    """Raise CheckpointError for a checkpoint of another model, or of other data, than the recipe has."""
    trained, now = settings(recipe, header.get("config", {})), settings(recipe)
    if any(trained[part] != now[part] for part in ("model", "data")):
        raise CheckpointError(
            f"{path} was trained with other settings of {recipe.name!r} than {whose} has: give those that trained it, "
            "or train it again"
        )
