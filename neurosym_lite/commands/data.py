"""list, data list, data fetch, data scenes, data arrow-room."""

import argparse
import json
import sys

from torch import Generator

from neurosym_lite.commands.arguments import output
from neurosym_lite.data.arrow_room import COLOURS, PAPER_SHAPES, ArrowRoomSource
from neurosym_lite.data.scenes import SceneSource
from neurosym_lite.data.sources import at_hand, fetch
from neurosym_lite.training.checkpoints import checkpoint_path, save_npz
from neurosym_lite.training.recipes import RECIPES
from neurosym_lite.training.records import load_record, record_path


def list_all(options: argparse.Namespace) -> int:
    """Recipes, which of them have a shipped checkpoint and record, and the data sets."""
    recipes = [
        {
            "name": recipe.name,
            "about": recipe.about,
            "steps": recipe.steps,
            "data": getattr(recipe.data, "glyphs", "rooms"),
            "minutes": _minutes(recipe.name),
            "checkpoint": checkpoint_path(recipe.name).is_file(),
            "record": record_path(recipe.name).is_file(),
        }
        for recipe in RECIPES.values()
    ]
    data = at_hand()
    if options.json:
        print(json.dumps({"recipes": recipes, "data": data}))
        return 0
    print("recipes (* with a shipped checkpoint; CPU minutes of those with a record)")
    rows = [("name", "steps", "minutes", "data", "about")]
    for recipe in recipes:
        minutes = "" if recipe["minutes"] is None else f"{recipe['minutes']:.0f}"
        rows.append((recipe["name"], f"{recipe['steps']:,}", minutes, recipe["data"], recipe["about"]))
    marks = [" ", *("*" if recipe["checkpoint"] else " " for recipe in recipes)]
    wide = [max(len(row[column]) for row in rows) for column in range(4)]
    for mark, (name, steps, minutes, glyphs, about) in zip(marks, rows, strict=True):
        print(f" {mark} {name:<{wide[0]}} {steps:>{wide[1]}} {minutes:>{wide[2]}} {glyphs:<{wide[3]}} {about}")
    print("data sets")
    _print(data)
    return 0


def _minutes(name: str) -> float | None:
    """CPU minutes that the recorded run of a recipe took; None without a record, or where that was on a GPU."""
    if not record_path(name).is_file():
        return None
    record = load_record(name)
    return record.minutes if record.device.startswith("cpu") else None


def data_list(options: argparse.Namespace) -> int:
    """Which character sets are at hand."""
    found = at_hand()
    if options.json:
        print(json.dumps(found))
    else:
        _print(found)
    return 0


def _print(found: dict[str, str | None]) -> None:
    for name, place in found.items():
        print(f"   {name:<32} {place or 'not here: python -m neurosym_lite data fetch ' + name}")


def data_fetch(options: argparse.Namespace) -> int:
    """Make sure a character set is at hand, downloading it if need be."""
    print(fetch(options.name, progress=sys.stderr.isatty()))
    return 0


def data_scenes(options: argparse.Namespace) -> int:
    """Scenes with their ground truth."""
    out = output(options.out, (".npz",))
    source = SceneSource(options.rule, options.glyphs, options.split, options.size)
    scenes = source.batch(options.n, Generator().manual_seed(options.seed))
    save_npz(out, **scenes._asdict())
    return 0


def data_arrow_room(options: argparse.Namespace) -> int:
    """Rooms with their ground truth."""
    out = output(options.out, (".npz",))
    shapes = tuple(map(str.strip, options.shapes.split(","))) if options.shapes is not None else PAPER_SHAPES
    colours = tuple(map(str.strip, options.colours.split(","))) if options.colours is not None else tuple(COLOURS)
    source = ArrowRoomSource(options.size, shapes, colours)
    scenes = source.batch(options.n, Generator().manual_seed(options.seed))
    save_npz(out, **scenes._asdict())
    return 0
