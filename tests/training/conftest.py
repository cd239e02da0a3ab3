"""A recipe small enough to train in a second, in two phases, known by name while a test runs."""

import dataclasses

import pytest

from neurosym_lite.models.gnm_config import GNMConfig
from neurosym_lite.training import recipes
from neurosym_lite.training.recipe import Phase, Recipe, SceneData
from neurosym_lite.training.schedules import constant, linear, warm_cosine

SMALL = GNMConfig(
    image_size=32, grid=2, filters=(4, 4, 8, 8), strides=(2, 2, 2, 2), heads=(8,), what=3, glimpse_size=5,
    glimpse_encoder=(8,), glimpse_decoder=(8,), latent=4, structure=6, hidden=(8,),
)  # fmt: skip


def small_recipe() -> Recipe:
    weights = {
        "temperature": linear(0, 8, 1.0, 0.5),
        "presence": constant(0.5),
        "beta_global": constant(1.0),
        "beta_conditional": constant(1.0),
    }
    first = Phase(steps=6, learning_rate=warm_cosine(6, 1e-3, 1e-4, warmup=2), weights=weights, batch=4)
    second = dataclasses.replace(first, steps=8, train=("globals", "prior_heads"))
    return Recipe(
        name="test-digits4",
        about="for the tests",
        model=SMALL,
        data=SceneData("mnist4", "digits", 32),
        phases=(first, second),
        ema=0.9,
        metrics=("detection", "reconstruction"),
    )


@pytest.fixture
def recipe(monkeypatch) -> Recipe:
    known = small_recipe()
    monkeypatch.setitem(recipes.RECIPES, known.name, known)
    return known
