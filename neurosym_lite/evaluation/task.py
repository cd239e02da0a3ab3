"""What is to be measured: a trained model, its recipe, and held-out images."""

from typing import NamedTuple

from torch import Generator

from neurosym_lite.data.arrow_room import ArrowScenes
from neurosym_lite.data.drawings import Drawings
from neurosym_lite.data.own_images import Images
from neurosym_lite.data.scenes import Scenes
from neurosym_lite.training.recipe import Model, Recipe

HeldOut = Scenes | ArrowScenes | Drawings | Images


def held_out(recipe: Recipe, n: int, seed: int, glyph_set: str | None = None) -> HeldOut:
    """n scenes of the recipe's rule, or n drawings, of characters that training never saw; or images kept from it."""
    return recipe.data.source("test", glyph_set).batch(n, Generator().manual_seed(seed))


class Task(NamedTuple):
    """What is to be measured."""

    model: Model
    recipe: Recipe
    scenes: HeldOut
    """Held-out images."""
    seed: int
    sweeps: int
    """Of pseudo-Gibbs in the samples that are judged."""
