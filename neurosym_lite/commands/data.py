"""list, data list, data fetch, data scenes, data arrow-room."""

import argparse
import json
import sys

from torch import Generator

from neurosym_lite.commands.arguments import output
from neurosym_lite.data.arrow_room import ArrowRoomSource
from neurosym_lite.data.scenes import SceneSource
from neurosym_lite.data.sources import at_hand, fetch
from neurosym_lite.training.checkpoints import checkpoint_path, save_npz
from neurosym_lite.training.recipes import RECIPES
from neurosym_lite.training.records import record_path


def list_all(options: argparse.Namespace) -> int:
    """Recipes, which of them have a shipped checkpoint and record, and the data sets."""
    recipes = [
        {
            "name": recipe.name,
            "about": recipe.about,
            "steps": recipe.steps,
            "checkpoint": checkpoint_path(recipe.name).is_file(),
            "record": record_path(recipe.name).is_file(),
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
    _print(data)
    return 0


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
        print(f"   {name:<32} {place or 'not here: data fetch ' + name}")


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
    source = ArrowRoomSource(options.size, tuple(options.shapes.split(",")), tuple(options.colours.split(",")))
    scenes = source.batch(options.n, Generator().manual_seed(options.seed))
    save_npz(out, **scenes._asdict())
    return 0
