"""Recipes of the successor: a trained GNM reads, a transformer over its tokens imagines."""

from neurosym_lite.models.gnm_config import GNMConfig
from neurosym_lite.models.successor import SuccessorConfig
from neurosym_lite.training.gnm_recipes import LITE
from neurosym_lite.training.recipe import Phase, Recipe, SceneData
from neurosym_lite.training.schedules import warm_cosine

METRICS = ("reconstruction", "structure", "second", "frechet", "d_steps")
CODEC_STEPS, PRIOR_STEPS, PRIOR_BATCH = 5000, 6000, 128
BANK = 49_152  # scenes written down once


def _successor(reader: Recipe, rule: str, most: int, steps: int) -> Recipe:
    symbols = reader.model
    assert isinstance(symbols, GNMConfig)
    return Recipe(
        name=f"successor-{rule}-lite",
        about=f"a transformer over the symbols of {reader.name}",
        model=SuccessorConfig(symbols, most=most),
        data=SceneData(rule, "mnist"),
        phases=(
            Phase(
                CODEC_STEPS, warm_cosine(CODEC_STEPS, 2e-3, 5e-5), {}, batch=48, train=("encoder", "decoder"),
                objective="symbol_loss",
            ),
            Phase(
                steps, warm_cosine(steps, 1e-3, 3e-5), {}, batch=PRIOR_BATCH, clip=1.0, train=("prior",),
                objective="prior_loss", bank=BANK,
            ),
        ),
        start=reader.name,
        metrics=METRICS,
    )  # fmt: skip


_READERS = {recipe.name: recipe for recipe in LITE}
SUCCESSORS = (
    _successor(_READERS["gnm-mnist4-lite"], "mnist4", 4, PRIOR_STEPS),
    _successor(_READERS["gnm-mnist10-lite"], "mnist10", 10, PRIOR_STEPS),
)
