"""The shipped models keep what their records claim; metrics are refused where they make no sense."""

from dataclasses import replace
from functools import lru_cache

import pytest
import torch

from neurosym_lite.evaluation import evaluate as evaluation
from neurosym_lite.evaluation.evaluate import ONLY_WHEN_NAMED, available, evaluate
from neurosym_lite.evaluation.images import mean_and_error
from neurosym_lite.evaluation.task import held_out
from neurosym_lite.training.baseline_recipes import BASELINES
from neurosym_lite.training.checkpoints import checkpoint_path, load_checkpoint
from neurosym_lite.training.experiment_recipes import EXPERIMENTS
from neurosym_lite.training.recipe import ArrowRoomData, Data
from neurosym_lite.training.recipes import RECIPES, get_recipe
from neurosym_lite.training.records import load_record
from neurosym_lite.training.transfer_recipes import SETS
from tests.evaluation.held_out import need

SHIPPED = [name for name in RECIPES if checkpoint_path(name).is_file()]
# how the keys of a metric begin, where that is not its name
START = {
    "detection": "ap50", "reconstruction": "mse", "sweeps": "swept", "binding": "gap_x", "strokes": "relative_l1",
    "transfer": "parts_on_", "transfer_likelihood": "likelihood_on_", "samples": "frechet_floor",
    "clusters": "silhouette",
}  # fmt: skip
# `python -m scripts.check_records` has the time for these
MINUTES = {"likelihood", "d_steps", "what", "transfer_likelihood", "one_shot"}
OF_ROOMS = {"sweeps", "frechet"}  # and for these, where they are of rooms
TABLES = {recipe.name for recipe in (*BASELINES, *EXPERIMENTS)}  # many: of these the headline alone


@pytest.fixture(scope="module", autouse=True)
def drawn_once():
    """Recipes of the same data are measured on the same images: nothing changes them, and rooms take seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "held_out", lambda recipe, *asked: drawn(recipe.data, *asked))
        yield


@lru_cache(maxsize=2)
def drawn(data: Data, *asked):
    """Held-out images of that data."""
    return held_out(next(recipe for recipe in RECIPES.values() if recipe.data == data), *asked)


def test_the_book_ships_what_its_chapters_load() -> None:
    assert {"gnm-gaussian-digits4-lite", "vae-digits1-lite", "slvm-digits1-lite"} <= set(SHIPPED)
    assert all(checkpoint_path(name).stat().st_size < 8 * 2**20 for name in SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_record_has_all_that_its_recipe_measures(name: str) -> None:
    keys = load_record(name).metrics.keys()
    assert all(any(key.startswith(START.get(metric, metric)) for key in keys) for metric in RECIPES[name].metrics)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_checkpoint_gives_the_metrics_of_its_record(name: str) -> None:
    need(getattr(RECIPES[name].data, "glyphs", "digits"))
    for handwriting in SETS if "transfer" in RECIPES[name].metrics else ():
        need(handwriting)
    model, recipe = load_checkpoint(name)
    slow = MINUTES | (OF_ROOMS if isinstance(recipe.data, ArrowRoomData) else set())
    named = ("structure",) if name in TABLES else tuple(m for m in recipe.metrics if m not in slow)
    record, measured = load_record(name), evaluate(model, recipe, named)
    assert measured.keys() <= record.metrics.keys() and within(record.config, json_like(recipe.as_dict()))
    for metric, value in measured.items():
        within_percent = 20 if metric.startswith("stop_noise") else 1  # of sampled gradients, which rounding can move
        assert value == pytest.approx(record.metrics[metric], rel=within_percent / 100, abs=0.01), metric


def within(old, new) -> bool:
    """Is all that a record says of its recipe still so? Switches that came later are not in old records."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(name in new and within(value, new[name]) for name, value in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(within, old, new))
    return old == new


def json_like(value):
    """Tuples as lists, as they come back from JSON."""
    if isinstance(value, dict):
        return {key: json_like(part) for key, part in value.items()}
    return [json_like(part) for part in value] if isinstance(value, list | tuple) else value


def test_the_scene_model_finds_the_digits() -> None:
    model, recipe = load_checkpoint("gnm-gaussian-digits4-lite")
    found = evaluate(model, recipe, ("detection",), n=300, seed=7)
    assert 3.9 <= found["count_mean"] <= 4.1 and found["ap50"] >= 0.85


def test_a_broken_model_is_told_apart() -> None:
    """The floors above must fall when the model is broken: boxes flipped, objects switched off, appearance lost."""
    model, recipe = load_checkpoint("gnm-gaussian-digits4-lite")
    scenes = 100
    good = evaluate(model, recipe, n=scenes)
    with torch.no_grad():
        model.centres.mul_(-1)
        assert evaluate(model, recipe, ("detection",), n=scenes)["ap50"] < 0.2
        model.centres.mul_(-1)
        model.posterior_heads.pres.bias.sub_(3.0)
        assert evaluate(model, recipe, ("detection",), n=scenes)["count_mean"] < 3.9
        model.posterior_heads.pres.bias.add_(3.0)
        model.glimpse_encoder[-1].weight.zero_()
        assert evaluate(model, recipe, ("reconstruction",), n=scenes)["mse"] > 1.3 * good["mse"]


def test_symbols_bind_x_and_a_vae_does_not() -> None:
    symbols, distributed = load_record("slvm-digits1-lite").metrics, load_record("vae-digits1-lite").metrics
    for axis in ("x", "y"):
        assert symbols[f"gap_{axis}"] > 0.6 > 0.3 > distributed[f"gap_{axis}"]
        # the VAE knows the place, but in no number of its own and along no line
        assert distributed[f"neighbours_{axis}"] > 0.95 > 0.5 > distributed[f"readout_{axis}"]


def test_held_out_are_reproducible() -> None:
    recipe = get_recipe("gnm-gaussian-digits4-lite")
    first, again = (held_out(recipe, 5, 3) for _ in range(2))
    assert torch.equal(first.images, again.images)


def test_metrics_that_make_no_sense_are_refused() -> None:
    recipe = get_recipe("vae-digits1-lite")
    model = recipe.build()
    assert available(model, recipe) == ("reconstruction", "binding", "likelihood", "d_steps")
    with pytest.raises(ValueError, match="metric 'detection': expected one of reconstruction, binding, likelihood"):
        evaluate(model, recipe, ("detection",), n=2)


@pytest.mark.parametrize("metric", ["sweeps", "d_steps"])
def test_another_handwriting_is_refused_by_what_has_no_use_for_it(metric: str) -> None:
    recipe = get_recipe("gnm-digits4-lite")
    with pytest.raises(ValueError, match=f"--glyphs digits: {metric} cannot be asked of another handwriting"):
        evaluate(recipe.build(), recipe, ("detection", metric), n=2, glyph_set="digits")


def test_one_value_has_no_error() -> None:
    assert mean_and_error(torch.tensor([1.0, 3.0])) == (2.0, pytest.approx(1.0))
    with pytest.raises(ValueError, match="1 value has no standard error"):
        mean_and_error(torch.ones(1))


def test_what_takes_long_is_measured_only_when_named() -> None:
    gnm, scenes = load_checkpoint("gnm-mnist4-lite")
    model, recipe = load_checkpoint("dood-digits-lite")
    assert set(ONLY_WHEN_NAMED) <= {*available(model, recipe), *available(gnm, scenes)}
    gnm, scenes = load_checkpoint("gnm-digits4-lite")
    assert "likelihood" not in evaluate(gnm, scenes, n=10)
    assert not {"stop_noise_exact", "parts_on_mnist"} & evaluate(model, recipe, n=20).keys()


def test_structure_is_asked_of_scenes_that_a_parser_reads() -> None:
    """None knows shaded walls, or canvases of 32 or 96 pixels."""
    recipe = get_recipe("gnm-digits4-lite")
    model, read = recipe.build(), {"structure", "sweeps", "recall", "frechet"}
    for backdrop, size in (("black", 64), ("black", 128), ("shaded", 64), ("black", 32), ("black", 96)):
        canvas = replace(recipe.model, image_size=size, grid=size // 16)
        data = replace(recipe.data, backdrop=backdrop, size=size)
        named = set(available(model, replace(recipe, model=canvas, data=data)))
        known = backdrop == "black" and size in (64, 128)
        assert named & read == (read if known else set()) and {"detection", "reconstruction"} <= named


@pytest.mark.parametrize("name", ["vae", "convdraw", "genesis", "space"])
def test_binding_is_asked_of_codes_and_symbols_alone(name: str) -> None:
    recipe = get_recipe(f"{name}-mnist4-lite")
    named = available(recipe.build(), replace(recipe, data=replace(recipe.data, rule="mnist1")))
    assert ("binding" in named) == (name == "vae")


def test_rooms_have_metrics_of_their_own() -> None:
    recipe = get_recipe("gnm-arrow-short")
    model = recipe.build().eval()
    found = evaluate(model, recipe, ("detection", "reconstruction", "structure", "sweeps", "layers", "frechet"), n=110)
    assert {"ap50", "mse", "structure_pointing", "swept_accuracy", "layers_iou", "frechet"} <= found.keys()
    assert found["structure_accuracy"] == 0.0 and not {"second", "recall", "binding"} & set(available(model, recipe))
    with pytest.raises(ValueError, match="rooms have no handwriting"):
        evaluate(model, recipe, ("detection",), n=2, glyph_set="mnist")


def test_transfer_is_what_each_set_gives_alone() -> None:
    for handwriting in SETS:
        need(handwriting)
    model, recipe = load_checkpoint("dood-digits-lite")
    found = evaluate(model, recipe, ("transfer",), n=60)
    assert len(found) == 2 * len(SETS)
    alone = evaluate(model, recipe, ("strokes",), n=60, glyph_set="kmnist")
    assert found["relative_l1_on_kmnist"] == alone["relative_l1"] and found["parts_on_kmnist"] == alone["parts"]


def test_arguments_without_a_meaning_are_refused() -> None:
    model, recipe = load_checkpoint("vae-digits1-lite")
    with pytest.raises(ValueError, match="n=0: expected at least one image"):
        evaluate(model, recipe, ("reconstruction",), n=0)
    with pytest.raises(ValueError, match="vae-digits1-lite has no sweeps, they need symbols"):
        evaluate(model, recipe, sweeps=3)
    with pytest.raises(ValueError, match="sweeps=-1: expected none or more"):
        evaluate(*load_checkpoint("gnm-digits4-lite"), sweeps=-1)
