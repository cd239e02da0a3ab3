"""python -m scripts.fuzz_files [--n 1000] [--seed 0]: damaged files are refused, each in one clear line.

Good files of every kind that the package reads (checkpoint, state, character set, images) are damaged at random:
cut short, bits turned, stretches zeroed, doubled, exchanged, replaced by a pickle. A reader may refuse such a file with
its own error, or read from it exactly what the whole file says (where the damage hit a byte that carries nothing). Any
other error, or any other content, is a fault. Exit status 1 where there is one.
"""

import argparse
import os
import pickle
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neurosym_lite.data.own_images import read_images
from neurosym_lite.data.sources import ARRAYS, DataError, read
from neurosym_lite.training.checkpoints import CheckpointError, load_checkpoint, save_checkpoint
from neurosym_lite.training.loop import load_state, save_state, start, train_step
from neurosym_lite.training.recipe import Recipe
from neurosym_lite.training.recipes import RECIPES

CPU = torch.device("cpu")
RECIPE = "vae-digits1-lite"


@dataclass(frozen=True)
class Kind:
    """A kind of file: a good one, how it is read, and the error that a bad one has to get."""

    content: bytes
    suffix: str
    read: Callable[[Path], Any]  # what it says, in a form that can be compared
    error: type[ValueError]


def _plain(tensors: dict[str, Any]) -> list[tuple[str, str, bytes]]:
    arrays = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    return [(name, f"{a.dtype}{a.shape}", a.tobytes()) for name, a in sorted(arrays.items())]


def kinds(folder: Path, recipe: Recipe) -> dict[str, Kind]:
    """A good file of each kind."""
    run = start(recipe, 0, CPU)
    train_step(run, recipe.data.source("train"))
    checkpoint, state, characters, images = (folder / f"good-{i}" for i in range(4))
    save_checkpoint(checkpoint, recipe, run.model.state_dict(), 1, {"mse": 0.5})
    save_state(run, state)
    drawn = np.random.default_rng(0).integers(0, 255, (30, 28, 28), np.uint8)
    labels = np.arange(30) % 10
    with open(characters, "wb") as file:
        np.savez_compressed(file, train_images=drawn, train_labels=labels, test_images=drawn, test_labels=labels)
    with open(images, "wb") as file:
        np.savez_compressed(file, images=drawn[:, None])

    def read_state(path: Path) -> Any:
        back = load_state(recipe, 0, CPU, path)
        return back.step, back.seconds, back.curve, _plain(back.model.state_dict() | {"sums": back.sums})

    readers: list[tuple[Path, str, Callable[[Path], Any], type[ValueError]]] = [
        (checkpoint, "checkpoint", lambda path: _plain(load_checkpoint(str(path))[0].state_dict()), CheckpointError),
        (state, "state", read_state, CheckpointError),
        (characters, "characters", lambda path: _plain(read("mnist", path, ARRAYS["mnist"])), DataError),
        (images, "images", lambda path: _plain({"images": read_images(path, 1, 28)}), ValueError),
    ]
    suffix = {"checkpoint": ".safetensors", "state": ".safetensors"}
    return {
        name: Kind(path.read_bytes(), suffix.get(name, ".npz"), reader, error) for path, name, reader, error in readers
    }


def cut(content: bytes, luck: random.Random) -> bytes:
    """The beginning alone."""
    return content[: luck.randrange(len(content))]


def turned(content: bytes, luck: random.Random) -> bytes:
    """One to eight bits turned, one in two times near the beginning, where headers are."""
    damaged = bytearray(content)
    reach = len(content) if luck.random() < 0.5 else min(len(content), 2000)
    for _ in range(luck.randint(1, 8)):
        damaged[luck.randrange(reach)] ^= 1 << luck.randrange(8)
    return bytes(damaged)


def zeroed(content: bytes, luck: random.Random) -> bytes:
    """A stretch of zeros, as a disk leaves them after a crash."""
    first = luck.randrange(len(content))
    length = min(luck.randint(1, 4096), len(content) - first)
    return content[:first] + bytes(length) + content[first + length :]


def doubled(content: bytes, luck: random.Random) -> bytes:
    """A stretch that comes twice."""
    first = luck.randrange(len(content))
    return content[:first] + content[first : first + luck.randint(1, 500)] + content[first:]


def exchanged(content: bytes, luck: random.Random) -> bytes:
    """Bytes that never were such a file: noise, text, or a pickle that would make a folder if it were loaded."""
    trap = pickle.dumps(Trap(), protocol=luck.randint(0, 5))
    return luck.choice([luck.randbytes(luck.randrange(5000)), b"hello\n" * 20, trap, trap + content, b""])


class Trap:
    """Its pickle makes a folder named `sprung` where it is loaded."""

    def __reduce__(self) -> tuple:
        return os.mkdir, ("sprung",)


DAMAGES = (cut, turned, zeroed, doubled, exchanged)


def verdict(kind: Kind, path: Path, expected: Any) -> str:
    """ "refused", "harmless" (it says what the whole file says), or a fault in words."""
    try:
        found = kind.read(path)
    except kind.error as error:
        lines = str(error).splitlines()
        return "refused" if len(lines) == 1 and len(lines[0]) > 20 else f"an unclear error: {error!r}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "harmless" if found == expected else "read as something else"


def fuzz(n: int, seed: int, folder: Path) -> tuple[Counter, list[str]]:
    """Damage n files, kinds and damages in turn; how many of each kind got which verdict, and the faults."""
    luck, tally, faults = random.Random(seed), Counter(), []
    good = kinds(folder, RECIPES[RECIPE])
    expected = {}
    for name, kind in good.items():
        (path := folder / f"whole{kind.suffix}").write_bytes(kind.content)
        expected[name] = kind.read(path)
    for number in range(n):
        name = list(good)[number % len(good)]
        damage = DAMAGES[number // len(good) % len(DAMAGES)]
        path = folder / f"damaged{good[name].suffix}"
        content = damage(good[name].content, luck)
        if content == good[name].content:  # zeros over zeros
            continue
        path.write_bytes(content)
        result = verdict(good[name], path, expected[name])
        if (sprung := Path("sprung")).exists():
            sprung.rmdir()
            result = "a pickle was loaded"
        tally[name, result if result in ("refused", "harmless") else "fault"] += 1
        if result not in ("refused", "harmless"):
            faults.append(f"file {number}, {name} {damage.__name__}: {result}")
    return tally, faults


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(prog="python -m scripts.fuzz_files")
    parser.add_argument("--n", type=int, default=1000, help="files")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tally, faults = fuzz(options.n, options.seed, Path(folder))
    for (name, result), count in sorted(tally.items()):
        print(f"{name:10} {result:8} {count}")
    print("\n".join(faults) or f"{sum(tally.values())} damaged files, no fault")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
