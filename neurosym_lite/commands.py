"""What each command does; `__main__` says how it is called. Every command returns an exit status."""

import argparse
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float, UInt8
from torch import Generator, Tensor, nn

from neurosym_lite.data.scenes import SceneSource
from neurosym_lite.data.sources import at_hand, fetch
from neurosym_lite.evaluation.evaluate import evaluate as evaluate_model
from neurosym_lite.models.gnm import GNM
from neurosym_lite.training import checkpoints, loop, records
from neurosym_lite.training.recipes import RECIPES, get_recipe

BATCH = 100  # images at a time


def positive(kind: type) -> Callable[[str], int | float]:
    """An argument type: a number of that kind, above zero."""

    def parse(text: str) -> int | float:
        """The number, or a complaint for argparse."""
        value = kind(text)
        if not value > 0:
            raise argparse.ArgumentTypeError(f"{text} is not above 0")
        return value

    parse.__name__ = f"positive {kind.__name__}"
    return parse


def not_negative(text: str) -> int:
    """An argument type: a whole number, 0 or more."""
    if int(text) < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return int(text)


# ---- list


def list_all(options: argparse.Namespace) -> int:
    """Recipes, which of them have a shipped checkpoint and record, and the data sets."""
    recipes = [
        {
            "name": recipe.name,
            "about": recipe.about,
            "steps": recipe.steps,
            "checkpoint": checkpoints.checkpoint_path(recipe.name).is_file(),
            "record": (records.RESULTS / f"{recipe.name}.json").is_file(),
        }
        for recipe in RECIPES.values()
    ]
    data = at_hand()
    if options.json:
        print(json.dumps({"recipes": recipes, "data": data}))
        return 0
    print("recipes (* with a shipped checkpoint)")
    for recipe in recipes:
        print(f" {'*' if recipe['checkpoint'] else ' '} {recipe['name']:<32} {recipe['about']}")
    print("data sets")
    _print_data(data)
    return 0


# ---- train


def train(options: argparse.Namespace) -> int:
    """Train or resume; at every stop but an interrupt, also a checkpoint and a run record."""
    recipe = get_recipe(options.recipe)
    seed = recipe.seed if options.seed is None else options.seed
    steps = min(recipe.steps, options.steps or recipe.steps)
    device = _device(options.device)
    if device.type == "cpu":
        torch.set_num_threads(options.threads)
    out = Path(options.out or Path("runs") / recipe.name)
    state = out / "state.safetensors"
    checkpoints.remove_temporaries(out)
    if state.exists() and not options.resume:
        raise ValueError(f"{state} exists: add --resume to go on with it, or give another --out")
    if state.exists():
        run = loop.load_state(recipe, seed, device, state)
        print(f"resumed {recipe.name} at step {run.step}", file=sys.stderr)
    else:
        run = loop.start(recipe, seed, device)
    with _progress(run, steps) as on_step:
        interrupted = loop.fit(run, state, steps=steps, minutes=options.minutes, on_step=on_step)
    if interrupted:
        print(f"interrupted at step {run.step}, saved in {state}: --resume goes on", file=sys.stderr)
        return 130
    _finish(run, out)
    left = f", {steps - run.step} steps left: --resume goes on" if run.step < steps else ""
    print(f"{recipe.name} at step {run.step} of {steps}{left}; checkpoint and record in {out}", file=sys.stderr)
    return 0


def _finish(run: loop.Run, out: Path) -> None:
    """Write checkpoint and record; the metrics are those of the checkpoint as it is read back."""
    path = out / "checkpoint.safetensors"
    checkpoints.save_checkpoint(path, run.recipe, loop.shipped_weights(run), run.step, {})
    model, recipe = checkpoints.load_checkpoint(str(path))
    metrics = evaluate_model(model, recipe, recipe.metrics)
    checkpoints.save_checkpoint(path, run.recipe, loop.shipped_weights(run), run.step, metrics)
    record = records.make_record(
        run.recipe,
        seed=run.seed,
        steps=run.step,
        device=_device_name(run.device),
        minutes=run.seconds / 60,
        parameters=sum(p.numel() for p in model.parameters()),
        metrics=metrics,
        curve=run.curve,
    )
    records.save_record(out / "record.json", record)


def _device(name: str) -> torch.device:
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda: torch sees no GPU here; use --device cpu")
    return torch.device("cuda" if name == "cuda" or (name == "auto" and torch.cuda.is_available()) else "cpu")


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"cpu, {threads} thread{'s' if threads > 1 else ''}"


class _progress:
    """A progress bar on a terminal that has tqdm; nothing in a log."""

    def __init__(self, run: loop.Run, steps: int) -> None:
        self.bar = None
        if sys.stderr.isatty():
            try:
                from tqdm import tqdm
            except ImportError:
                return
            self.bar = tqdm(total=steps, initial=run.step, desc=run.recipe.name, unit="step")

    def __enter__(self) -> Callable[[loop.Run], None]:
        return self._update

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def _update(self, run: loop.Run) -> None:
        if self.bar is None:
            return
        self.bar.update(1)
        if run.curve and run.step % loop.CURVE_STEPS == 0:
            self.bar.set_postfix(total=run.curve[-1]["total"])


# ---- sample, infer, evaluate


def _no_sweeps(options: argparse.Namespace) -> None:
    """Pseudo-Gibbs sweeps re-encode symbols through a struct prior, which no recipe has yet."""
    if options.sweeps:
        raise ValueError(f"--sweeps {options.sweeps}: {options.name} has no sweeps, only a struct prior has them")


def sample(options: argparse.Namespace) -> int:
    """Images from the prior, as npz or as one sheet."""
    _no_sweeps(options)
    out = _output(options.out, (".npz", ".png"))
    model, _ = checkpoints.load_checkpoint(options.name)
    generator = Generator().manual_seed(options.seed)
    parts = []
    for start in range(0, options.n, BATCH):
        drawn = model.sample(min(BATCH, options.n - start), generator)
        parts.append(_bytes(drawn.images if isinstance(model, GNM) else drawn))
    images = torch.cat(parts)
    if out.suffix == ".png":
        checkpoints.write_atomically(out, _sheet(images))
    else:
        _save_npz(out, images=images)
    return 0


@torch.no_grad()
def infer(options: argparse.Namespace) -> int:
    """Boxes and reconstructions (or, for a VAE, the latent's mean and std and reconstructions)."""
    out = _output(options.out, (".npz",))
    model, _ = checkpoints.load_checkpoint(options.name)
    images = _read_images(Path(options.images), model.config.channels, model.config.image_size)
    if isinstance(model, GNM):
        parts = [model.detect(batch) for batch in images.split(BATCH)]
        _save_npz(
            out,
            present=torch.cat([found.present for found, _, _ in parts]),
            boxes=torch.cat([found.corners for found, _, _ in parts]),
            recon=torch.cat([_bytes(drawn) for _, _, drawn in parts]),
        )
        return 0
    codes = [model.infer(batch) for batch in images.split(BATCH)]
    mean, std = torch.cat([q.mean for q in codes]), torch.cat([q.std for q in codes])
    recon = torch.cat([_bytes(model.render(batch)) for batch in mean.split(BATCH)])
    _save_npz(out, latent_mean=mean, latent_std=std, recon=recon)
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """Metrics by name, as a table or as JSON."""
    _no_sweeps(options)
    model, recipe = checkpoints.load_checkpoint(options.name)
    names = tuple(name for name in options.metrics.split(",") if name)
    metrics = evaluate_model(model, recipe, names, options.n, options.seed, options.glyphs)
    if options.json:
        print(json.dumps({"name": options.name, "n": options.n, "seed": options.seed, "metrics": metrics}))
    else:
        print(f"{options.name}, {options.n} held-out scenes, seed {options.seed}")
        for name, value in metrics.items():
            print(f"  {name:<16} {value:.4f}")
    return 0


def _bytes(images: Float[Tensor, "B C H W"]) -> UInt8[Tensor, "B C H W"]:
    return (images.clamp(0, 1) * 255).round().to(torch.uint8)


def _output(name: str, suffixes: tuple[str, ...]) -> Path:
    """The output path, checked before any work is done."""
    path = Path(name)
    if path.suffix not in suffixes:
        raise ValueError(f"--out {name}: expected a name that ends in {' or '.join(suffixes)}")
    if not path.resolve().parent.is_dir():
        raise ValueError(f"--out {name}: the folder {path.resolve().parent} does not exist")
    return path


def _save_npz(path: Path, **arrays: Tensor) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: tensor.numpy() for name, tensor in arrays.items()})
    checkpoints.write_atomically(path, buffer.getvalue())


def _sheet(images: UInt8[Tensor, "N C H W"], columns: int = 10) -> bytes:
    """PNG of all images side by side, a white line between them."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("a PNG needs Pillow: pip install pillow, or write an .npz") from error
    columns = min(columns, len(images))
    blank = -len(images) % columns
    padded = nn.functional.pad(images, (1, 1, 1, 1, 0, 0, 0, blank), value=255)
    sheet = rearrange(padded, "(r c) C H W -> (r H) (c W) C", c=columns).squeeze(-1).numpy()
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "png")
    return buffer.getvalue()


def _read_images(path: Path, channels: int, size: int) -> Float[Tensor, "N C H W"]:
    """The array `images` of an npz as floats in [0, 1]. Raises ValueError when it does not fit the model."""
    want = f"expected an array `images` of (N, {channels}, {size}, {size}), uint8 or floats in [0, 1]"
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            array = arrays["images"]
    except FileNotFoundError:
        raise ValueError(f"--images {path}: no such file") from None
    except Exception as error:  # numpy raises a dozen kinds for damaged archives
        raise ValueError(f"--images {path} cannot be read ({type(error).__name__}): {want}") from error
    if array.ndim == 3:
        array = array[:, None]
    if array.shape[1:] != (channels, size, size) or len(array) == 0:
        raise ValueError(f"--images {path} has shape {array.shape}: {want}")
    if array.dtype == np.uint8:
        return torch.from_numpy(array).float() / 255
    if not np.issubdtype(array.dtype, np.floating) or not (array.min() >= 0 and array.max() <= 1):
        raise ValueError(f"--images {path} has {array.dtype} values outside [0, 1] or of another type: {want}")
    return torch.from_numpy(array).float()


# ---- data


def data_list(options: argparse.Namespace) -> int:
    """Which character sets are at hand."""
    found = at_hand()
    if options.json:
        print(json.dumps(found))
    else:
        _print_data(found)
    return 0


def _print_data(found: dict[str, str | None]) -> None:
    for name, place in found.items():
        print(f"   {name:<32} {place or 'not here: data fetch ' + name}")


def data_fetch(options: argparse.Namespace) -> int:
    """Make sure a character set is at hand, downloading it if need be."""
    print(fetch(options.name, progress=sys.stderr.isatty()))
    return 0


def data_scenes(options: argparse.Namespace) -> int:
    """Scenes with their ground truth."""
    out = _output(options.out, (".npz",))
    source = SceneSource(options.rule, options.glyphs, options.split, options.size)
    scenes = source.batch(options.n, Generator().manual_seed(options.seed))
    _save_npz(out, **scenes._asdict())
    return 0
