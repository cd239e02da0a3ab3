"""Every recipe is complete: its names, schedules, model and data fit together."""

import dataclasses
from dataclasses import replace

import pytest
import torch
from torch import Generator

from neurosym_lite.data.scenes import RULES
from neurosym_lite.evaluation.evaluate import available
from neurosym_lite.models.gnm_config import PAPER_MNIST
from neurosym_lite.training.recipe import ArrowRoomData, Phase, Recipe, SceneData
from neurosym_lite.training.recipes import RECIPES, get_recipe
from neurosym_lite.training.run import make_optimiser
from neurosym_lite.training.schedules import constant

ALL = pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())


@ALL
def test_the_model_fits_its_scenes(recipe: Recipe) -> None:
    assert recipe.data.size == recipe.model.image_size
    assert not isinstance(recipe.data, SceneData) or recipe.data.rule in RULES
    model, phase = recipe.build(), recipe.phases[0]
    rooms = isinstance(recipe.data, ArrowRoomData)
    source = recipe.data.source("test") if rooms else recipe.data.source("train", "digits")
    images = source.batch(2, Generator().manual_seed(0))
    weights = type(model).Weights(**{name: torch.tensor(schedule(0)) for name, schedule in phase.weights.items()})
    loss = model.loss(images.images.float() / 255, weights)
    assert torch.isfinite(loss.total).all() and loss.total.shape == (2,)
    assert set(recipe.metrics) <= set(available(model, recipe))


@ALL
def test_trained_parts_exist_and_names_say_what_they_hold(recipe: Recipe) -> None:
    parts = {name.split(".")[0] for name, _ in recipe.build().named_parameters()}
    assert all(set(phase.train) <= parts for phase in recipe.phases)
    assert recipe.name == recipe.name.lower() and RECIPES[recipe.name] is recipe
    assert ("digits" in recipe.name) == (getattr(recipe.data, "glyphs", "") == "digits")
    assert ("arrow" in recipe.name) == isinstance(recipe.data, ArrowRoomData)


def test_steps_are_found_in_their_phase(recipe: Recipe) -> None:
    assert recipe.steps == 14
    assert recipe.phase_at(5) == (recipe.phases[0], 5) and recipe.phase_at(6) == (recipe.phases[1], 0)
    with pytest.raises(ValueError, match="which has 14"):
        recipe.phase_at(14)


def test_recipes_as_plain_data_differ_when_anything_differs(recipe: Recipe) -> None:
    other = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, sigma=0.3))
    assert recipe.as_dict() != other.as_dict() and recipe.as_dict()["model"]["kind"] == "GNMConfig"


def test_what_is_trained_in_stages_has_the_paper_s_sizes() -> None:
    ours, theirs = RECIPES["gnm-staged-mnist4"].model, PAPER_MNIST
    wired_otherwise = {
        "share_heads", "what_from", "glimpse_encoder", "global_from", "gate_conditional", "prior_components", "embed",
        "out_kernel", "scale_start", "presence_start", "decoder_bias",
    }  # fmt: skip
    differ = {f.name for f in dataclasses.fields(theirs) if getattr(ours, f.name) != getattr(theirs, f.name)}
    assert differ == wired_otherwise


def test_an_unknown_recipe_is_answered_with_the_names_that_are_close() -> None:
    with pytest.raises(ValueError, match=r"unknown recipe 'gnm-digit4-lite': did you mean .*gnm-digits4-lite.*\? All:"):
        get_recipe("gnm-digit4-lite")
    with pytest.raises(ValueError) as unlike:
        get_recipe("nonsense")
    assert str(unlike.value) == "unknown recipe 'nonsense': for all names: python -m neurosym_lite list"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": {"beta_globl": constant(1.0)}}, "test weighs 'beta_globl': known are temperature, "),
        ({"weights": {}}, "test lacks the weight '"),
        ({"objective": "prior_loss"}, "prior_loss, and only that, learns from a bank"),
        ({"bank": 100}, "prior_loss, and only that, learns from a bank"),
    ],
)
def test_a_phase_that_does_not_fit_its_model_is_refused(change: dict, message: str) -> None:
    good = RECIPES["gnm-digits4-lite"]
    phase = replace(good.phases[0], **change)
    with pytest.raises(ValueError, match=message):
        replace(good, name="test", phases=(phase,))


def test_a_phase_that_trains_a_part_which_is_not_there_is_refused() -> None:
    good = RECIPES["gnm-digits4-lite"]
    phase = replace(good.phases[0], train=("globalss",))
    with pytest.raises(ValueError, match="a phase trains 'globalss': the model's parts are "):
        make_optimiser(good.build(), phase, torch.device("cpu"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": SceneData("mnist4", "digits", 128)}, "made for 1 x 64 x 64 .* its data has 1 x 128 x 128"),
        ({"data": ArrowRoomData()}, "made for 1 x 64 x 64 .* its data has 3 x 64 x 64: make them agree"),
        ({"phases": ()}, "test has no phases: give at least one"),
        ({"ema": 1.0}, "test averages with ema=1.0: expected at least 0 and less than 1"),
        ({"ema": -0.1}, "test averages with ema=-0.1"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(RECIPES["gnm-digits4-lite"], name="test", **change)


def test_a_phase_of_nothing_or_without_its_objective_is_refused() -> None:
    good = RECIPES["vae-digits1-lite"]
    for change in ({"steps": 0}, {"batch": 0}):
        with pytest.raises(ValueError, match=r"a phase of .* steps with .* images: expected at least 1 of each"):
            replace(good.phases[0], **change)
    phase = replace(good.phases[0], objective="symbol_loss")
    with pytest.raises(ValueError, match="test minimises symbol_loss, which VAE does not have"):
        replace(good, name="test", phases=(phase,))


@pytest.mark.parametrize(("name", "value"), [("learning_rate", 1e-3), ("weights", {"beta": 1e-3})])
def test_a_plain_number_is_no_schedule(name: str, value: float | dict[str, float]) -> None:
    phase = Phase(20, constant(1.0), {"beta": constant(1.0)})
    object.__setattr__(phase, name, value)  # the tests' own type check would be first
    with pytest.raises(ValueError, match=r"is 0\.001: expected a schedule, as schedules\.constant\(0\.001\)"):
        phase.__post_init__()
