"""One entry to all metrics: a trained model's numbers by name."""

from collections.abc import Callable

from neurosym_lite.data.conversion import SIDE
from neurosym_lite.evaluation import drawing_metrics as drawing
from neurosym_lite.evaluation import scene_metrics as scene
from neurosym_lite.evaluation.binding import LEAST_SCENES, binding
from neurosym_lite.evaluation.detection import detection
from neurosym_lite.evaluation.layers import layer_metrics
from neurosym_lite.evaluation.parser import load_parser, parser_path
from neurosym_lite.evaluation.recall import recall_metrics
from neurosym_lite.evaluation.stroke_clusters import cluster_metrics
from neurosym_lite.evaluation.strokes import stroke_metrics
from neurosym_lite.evaluation.task import Task, held_out
from neurosym_lite.evaluation.transfer import likelihoods, redrawing
from neurosym_lite.models.air import AIR
from neurosym_lite.models.dood import DooD
from neurosym_lite.models.gnm import GNM
from neurosym_lite.models.space import Space
from neurosym_lite.models.successor import Successor
from neurosym_lite.models.vae import VAE
from neurosym_lite.training.recipe import ArrowRoomData, DrawingData, ImageData, Model, Recipe

METRICS: dict[str, Callable[[Task], dict[str, float]]] = {
    "detection": lambda task: detection(task.model, task.scenes),
    "reconstruction": lambda task: scene.reconstruction(task.model, task.scenes),
    "binding": lambda task: binding(task.model, task.scenes),
    "structure": scene.structure,
    "sweeps": scene.swept_structure,
    "likelihood": scene.likelihood,
    "relaxed": scene.relaxed_difference,
    "d_steps": scene.discriminability,
    "frechet": scene.frechet,
    "second": scene.second_opinion,
    "what": scene.what,
    "layers": lambda task: layer_metrics(task.model, task.scenes),
    "recall": lambda task: recall_metrics(task.model, task.scenes, load_parser(task.recipe.data.glyphs)),
    "strokes": lambda task: stroke_metrics(task.model, task.scenes.images.float() / 255, task.scenes.labels),
    "stop_noise": drawing.stop_gradient,
    "transfer": lambda task: redrawing(task.model, drawing.on_all_sets(task)),
    "transfer_likelihood": lambda task: likelihoods(task.model, drawing.on_all_sets(task), task.seed),
    "samples": drawing.prior_samples,
    "clusters": lambda task: cluster_metrics(task.model, task.recipe.data.source("test").images, task.seed),
    "one_shot": drawing.one_shot,
}
# they take a minute, or data of their own
ONLY_WHEN_NAMED = (
    "likelihood", "relaxed", "d_steps", "frechet", "second", "what", "recall", "stop_noise", "transfer",
    "transfer_likelihood", "samples", "clusters", "one_shot",
)  # fmt: skip

# of samples alone, or of sets of their own: another handwriting is nothing to them
NO_HANDWRITING = ("sweeps", "second", "d_steps", "transfer", "transfer_likelihood", "samples", "clusters", "one_shot")
OWN_NUMBER = ("d_steps", "samples", "clusters", "one_shot")  # of images, whatever n is
FEWER = ("relaxed", "stop_noise")  # images than n, where n is above what they can afford

LEAST = {"binding": LEAST_SCENES}  # images that a metric needs


def available(model: Model, recipe: Recipe) -> tuple[str, ...]:
    """Metrics that make sense: a VAE has no boxes, binding is asked of scenes of one digit, structure of a rule."""
    if isinstance(recipe.data, ImageData):  # nobody knows what is in them
        return () if isinstance(model, DooD | AIR) else ("reconstruction",)
    if isinstance(recipe.data, DrawingData):
        drawn, small = ("strokes", "stop_noise", "transfer", "transfer_likelihood"), recipe.data.size == SIDE
        can_lay = not isinstance(model, DooD) or model.config.decoder == "spline"
        return (*drawn, *(("samples", "clusters") if small else ()), *(("one_shot",) if small and can_lay else ()))
    rooms, one_digit = isinstance(recipe.data, ArrowRoomData), getattr(recipe.data, "rule", "") == "mnist1"
    has_rule = not one_digit and scene.is_read(recipe)
    has_boxes = isinstance(model, GNM | Space)
    sensible = {
        "detection": has_boxes,
        "reconstruction": True,
        "binding": one_digit and isinstance(model, GNM | VAE),
        "structure": has_rule,
        "sweeps": has_rule and can_sweep(model),
        "layers": rooms and isinstance(model, GNM) and model.config.background > 0,
        "what": has_boxes and not one_digit,
        "recall": has_rule and can_sweep(model) and not rooms,
        "likelihood": not isinstance(model, Space | Successor) and (can_sweep(model) or not isinstance(model, GNM)),
        "frechet": has_rule,
        "second": has_rule and not rooms and parser_path(scene.second_parser(recipe)).is_file(),
        "relaxed": can_sweep(model),
        "d_steps": True,
    }
    return tuple(name for name in sensible if sensible[name])


def quick(model: Model, recipe: Recipe, n: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The metrics that make sense and are quick; and what is left out of them, because it needs more than n images."""
    named = tuple(name for name in available(model, recipe) if name not in ONLY_WHEN_NAMED)
    lacking = tuple(name for name in named if n < LEAST.get(name, 1))
    return tuple(name for name in named if name not in lacking), lacking


def can_sweep(model: Model) -> bool:
    """Sweeps need symbols and a code above them."""
    return isinstance(model, GNM) and model.config.prior != "independent"


def check_sweeps(model: Model, name: str, sweeps: int) -> None:
    """Raise ValueError where a model without symbols under a code is asked for sweeps, or any for less than none."""
    if sweeps < 0:
        raise ValueError(f"sweeps={sweeps}: expected none or more")
    if sweeps and not can_sweep(model):
        raise ValueError(f"sweeps={sweeps}: {name} has no sweeps, they need symbols and a code above")


def evaluate(
    model: Model,
    recipe: Recipe,
    metrics: tuple[str, ...] = (),
    n: int = 1000,
    seed: int = 0,
    glyph_set: str | None = None,
    sweeps: int = 0,
) -> dict[str, float]:
    """The named metrics, or else the `quick` ones, on n held-out images and n samples.

    Those of OWN_NUMBER have a number of their own, those of FEWER take a part of the n. The images are of the recipe's
    handwriting, or of `glyph_set`; `sweeps` are of the samples that are judged. Raises ValueError for a metric that
    does not exist, that the model cannot have, or that is named though it has no use for `glyph_set`; for no images;
    for sweeps of a model that has none.
    """
    if n < 1:
        raise ValueError(f"n={n}: expected at least one image")
    check_sweeps(model, recipe.name, sweeps)
    possible = available(model, recipe)
    for name in metrics:
        if name not in possible:
            some = ", ".join(possible) or "none"
            raise ValueError(f"metric {name!r}: expected one of {some} for {recipe.name}")
    if glyph_set and (deaf := [name for name in metrics if name in NO_HANDWRITING]):
        raise ValueError(
            f"--glyphs {glyph_set}: {', '.join(deaf)} cannot be asked of another handwriting: leave either out"
        )
    task = Task(model, recipe, held_out(recipe, n, seed, glyph_set), seed, sweeps)
    results: dict[str, float] = {}
    for name in metrics or quick(model, recipe, n)[0]:
        results |= METRICS[name](task)
    return {name: round(value, 5) for name, value in results.items()}
