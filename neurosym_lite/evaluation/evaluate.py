"""One entry to all metrics: a trained model's numbers by name."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Generator, Tensor

from neurosym_lite.data.arrow_room import ArrowScenes
from neurosym_lite.data.conversion import SIDE
from neurosym_lite.data.drawings import Drawings
from neurosym_lite.data.one_shot import official_episodes
from neurosym_lite.data.scenes import Scenes
from neurosym_lite.distributions import image_log_likelihood
from neurosym_lite.evaluation.binding import binding
from neurosym_lite.evaluation.classifier import sample_distances
from neurosym_lite.evaluation.detection import detection
from neurosym_lite.evaluation.discriminability import Look, d_steps, learning_curve
from neurosym_lite.evaluation.frechet import frechet_distance, parser_features
from neurosym_lite.evaluation.images import as_bytes
from neurosym_lite.evaluation.layers import layer_metrics
from neurosym_lite.evaluation.likelihood import Bound, importance_weighted
from neurosym_lite.evaluation.one_shot import one_shot_metrics
from neurosym_lite.evaluation.parser import load_parser, parser_path
from neurosym_lite.evaluation.recall import recall_metrics
from neurosym_lite.evaluation.registration import one_shot_redrawn
from neurosym_lite.evaluation.room_parser import GLYPHS as ROOMS
from neurosym_lite.evaluation.room_structure import room_structure_metrics
from neurosym_lite.evaluation.stop_noise import stop_noise
from neurosym_lite.evaluation.stroke_clusters import cluster_metrics
from neurosym_lite.evaluation.strokes import stroke_metrics
from neurosym_lite.evaluation.structure import accepts, structure_metrics
from neurosym_lite.evaluation.transfer import SETS, likelihoods, redrawing
from neurosym_lite.evaluation.what import what_metrics
from neurosym_lite.models.dood import DooD
from neurosym_lite.models.genesis import Genesis
from neurosym_lite.models.gnm import GNM
from neurosym_lite.models.space import Space
from neurosym_lite.models.successor import Successor
from neurosym_lite.training.recipe import ArrowRoomData, DrawingData, Model, Recipe, SceneModel

BATCH = 100  # images at a time
SWEEPS = 2  # of pseudo-Gibbs, where a record says swept: fixed before anything was measured
SAMPLES = 2000  # drawings from the prior, and as many real ones
NOISE_BATCH = 64  # images that the noise of the stop's gradient is measured on
DISCRIMINATORS = 3  # classifiers, by seed, that have to tell samples from scenes
STEPS_CAP = 2000  # steps that each of them has at most; at the paper's size 20,000 would be right
IMPORTANCE_SAMPLES = 100  # an image (GNM, section 4)
RELAXED_SCENES = 100  # that relaxed presence is tried on
WHAT_SCENES = 5000  # that a reader of z_what learns from
WHAT_SEED = 4_000_037  # keeps them apart from the held-out ones


def held_out(recipe: Recipe, n: int, seed: int, glyph_set: str | None = None) -> Scenes | ArrowScenes | Drawings:
    """n scenes of the recipe's rule, or n drawings, of characters that training never saw."""
    return recipe.data.source("test", glyph_set).batch(n, Generator().manual_seed(seed))


@torch.no_grad()
def redrawn(model: SceneModel, scenes: Scenes | ArrowScenes) -> Float[Tensor, "B C H W"]:
    """The scenes as the model sees them: drawn from the mode of its posterior."""
    parts = []
    for batch in scenes.images.split(BATCH):
        images = batch.float() / 255
        parts.append(model.detect(images)[2] if isinstance(model, GNM) else model.redraw(images))
    return torch.cat(parts)


def reconstruction(model: SceneModel, scenes: Scenes | ArrowScenes) -> dict[str, float]:
    """Error a pixel, and log likelihood in nats an image, of the reconstruction from the mode of the posterior."""
    images, drawn = scenes.images.float() / 255, redrawn(model, scenes)
    metrics = {"mse": float((images - drawn).square().mean())}
    if isinstance(model, Genesis | Space):  # its likelihood is a mixture's, not that around the mixture's mean
        return metrics
    return metrics | {"log_likelihood": float(image_log_likelihood(images, drawn, model.config.sigma).mean())}


@torch.no_grad()
def imagine(model: Model, n: int, seed: int, sweeps: int = 0) -> UInt8[Tensor, "n C H W"]:
    """n images from the model's prior, 0 to 255, the same for the same seed; `sweeps` are GNM's (`GNM.sample`)."""
    generator, parts = Generator().manual_seed(seed), []
    for first in range(0, n, BATCH):
        parts.append(sampled(model, min(BATCH, n - first), generator, sweeps))
    return torch.cat(parts)


@torch.no_grad()
def sampled(model: Model, n: int, generator: Generator, sweeps: int = 0) -> UInt8[Tensor, "n C H W"]:
    """n images from the model's prior, 0 to 255, by that generator."""
    return as_bytes(model.sample(n, generator, sweeps).images if isinstance(model, GNM) else model.sample(n, generator))


class Task(NamedTuple):
    """What is to be measured."""

    model: Model
    recipe: Recipe
    scenes: Scenes | ArrowScenes | Drawings
    """Held-out images."""
    seed: int
    sweeps: int
    """Of pseudo-Gibbs in the samples of `structure`."""


def structure(task: Task) -> dict[str, float]:
    """Does what the model imagines obey the rule? As many samples as there are held-out scenes."""
    samples = imagine(task.model, len(task.scenes.images), task.seed, task.sweeps)
    reconstructions, data = as_bytes(redrawn(task.model, task.scenes)), task.recipe.data
    if isinstance(data, ArrowRoomData):
        return room_structure_metrics(samples, reconstructions, load_parser(ROOMS))
    return structure_metrics(samples, reconstructions, data.rule, load_parser(data.glyphs))


def swept_structure(task: Task) -> dict[str, float]:
    """The same after SWEEPS sweeps of pseudo-Gibbs, under names of its own: it is not ancestral sampling."""
    after = structure(task._replace(sweeps=SWEEPS))
    kept = ("accuracy", "low", "high", "spread", "places")
    return {f"swept_{name}": after[f"structure_{name}"] for name in kept if f"structure_{name}" in after}


def likelihood(task: Task) -> dict[str, float]:
    """The importance-weighted bound with IMPORTANCE_SAMPLES samples an image, and how many of them count."""
    bound = _bounds(task, len(task.scenes.images))
    mean, error = _mean_and_error(bound.log_likelihood)
    effective = float(bound.effective.median())
    return {"likelihood": mean, "likelihood_error": error, "likelihood_effective": effective}


def relaxed_difference(task: Task) -> dict[str, float]:
    """By how much a GNM's likelihood comes out otherwise the released code's way, with relaxed presence: no bound."""
    hard, relaxed = (_bounds(task, RELAXED_SCENES, how).log_likelihood for how in (False, True))
    mean, error = _mean_and_error(relaxed - hard)
    return {"relaxed_difference": mean, "relaxed_difference_error": error}


def _mean_and_error(values: Float[Tensor, "B"]) -> tuple[float, float]:
    """Mean, and its standard error."""
    return float(values.mean()), float(values.std() / len(values) ** 0.5)


def _bounds(task: Task, n: int, relaxed: bool = False) -> Bound:
    """Of the first n scenes."""
    parts = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(task.seed)
        for batch in task.scenes.images[:n].split(BATCH):
            parts.append(importance_weighted(task.model, batch.float() / 255, IMPORTANCE_SAMPLES, relaxed))
    return Bound(*(torch.cat(column) for column in zip(*parts, strict=True)))


def discriminability(task: Task) -> dict[str, float]:
    """D-Steps, median and range over DISCRIMINATORS."""
    seeds = range(task.seed, task.seed + DISCRIMINATORS)
    curves = (discriminator_curve(task.model, task.recipe, seed, task.sweeps) for seed in seeds)
    steps = sorted(d_steps(curve, STEPS_CAP) for curve in curves)
    middle = steps[len(steps) // 2]
    return {"d_steps": middle, "d_steps_low": steps[0], "d_steps_high": steps[-1], "d_steps_cap": STEPS_CAP}


def discriminator_curve(model: SceneModel, recipe: Recipe, seed: int, sweeps: int = 0) -> list[Look]:
    """How one classifier learns to tell samples from new scenes of the rule in the training set's handwriting."""
    source = replace(recipe.data, scenes=0).source("train")
    return learning_curve(
        lambda n, generator: source.batch(n, generator).images,
        lambda n, generator: sampled(model, n, generator, sweeps),
        seed,
        STEPS_CAP,
    )


def second_opinion(task: Task) -> dict[str, float]:
    """Structure accuracy of the same samples as `structure` judges, read by a parser of another seed and make."""
    samples = imagine(task.model, len(task.scenes.images), task.seed, task.sweeps)
    accepted = accepts(samples, task.recipe.data.rule, load_parser(second_parser(task.recipe)))
    return {"second_accuracy": float(accepted.float().mean())}


def what(task: Task) -> dict[str, float]:
    """What z_what knows of the objects: read on held-out scenes, learnt from WHAT_SCENES of training characters."""
    source = replace(task.recipe.data, scenes=0).source("train")
    train = source.batch(WHAT_SCENES, Generator().manual_seed(task.seed + WHAT_SEED))
    return what_metrics(task.model, train, task.scenes)


def parser_of(recipe: Recipe) -> str:
    """Name of the parser that reads the recipe's scenes."""
    return ROOMS if isinstance(recipe.data, ArrowRoomData) else recipe.data.glyphs


def second_parser(recipe: Recipe) -> str:
    """Name of the parser that checks the one of the recipe's handwriting."""
    return f"{parser_of(recipe)}-second"


def frechet(task: Task) -> dict[str, float]:
    """Fréchet distance between samples and held-out scenes in the parser's features."""
    parser, scenes = load_parser(parser_of(task.recipe)), task.scenes.images
    samples = imagine(task.model, len(scenes), task.seed, task.sweeps)
    return {"frechet": frechet_distance(parser_features(parser, samples), parser_features(parser, scenes))}


def on_all_sets(task: Task) -> dict[str, Drawings]:
    """Test characters of every set that a model of drawings is tried on, as many of each as there are held-out ones."""
    return {name: held_out(task.recipe, len(task.scenes.images), task.seed, name) for name in SETS}


def stop_gradient(task: Task) -> dict[str, float]:
    """Standard deviation of the gradient of q_on, nats, by the exact sum over the stop and by NVIL."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(task.seed)
        noise = stop_noise(task.model, task.scenes.images[:NOISE_BATCH].float() / 255)
    return {"stop_noise_exact": noise.exact.std, "stop_noise_nvil": noise.nvil.std}


def prior_samples(task: Task) -> dict[str, float]:
    """Fréchet distance of samples to training characters, and of other training characters, as many of each."""
    source = task.recipe.data.source("train")
    order = torch.randperm(len(source.images), generator=Generator().manual_seed(task.seed))
    halves = order[: 2 * SAMPLES].chunk(2)  # no character is in both
    real, others = (Drawings(source.images[rows], source.labels[rows]) for rows in halves)
    return sample_distances(task.model, real, others, task.seed)


def one_shot(task: Task) -> dict[str, float]:
    """The official episodes, by DooD's strokes or by AIR's redrawings."""
    measure = one_shot_metrics if isinstance(task.model, DooD) else one_shot_redrawn
    return measure(task.model, official_episodes())


METRICS: dict[str, Callable[[Task], dict[str, float]]] = {
    "detection": lambda task: detection(task.model, task.scenes),
    "reconstruction": lambda task: reconstruction(task.model, task.scenes),
    "binding": lambda task: binding(task.model, task.scenes),
    "structure": structure,
    "sweeps": swept_structure,
    "likelihood": likelihood,
    "relaxed": relaxed_difference,
    "d_steps": discriminability,
    "frechet": frechet,
    "second": second_opinion,
    "what": what,
    "layers": lambda task: layer_metrics(task.model, task.scenes),
    "recall": lambda task: recall_metrics(task.model, task.scenes, load_parser(task.recipe.data.glyphs)),
    "strokes": lambda task: stroke_metrics(task.model, task.scenes.images.float() / 255, task.scenes.labels),
    "stop_noise": stop_gradient,
    "transfer": lambda task: redrawing(task.model, on_all_sets(task)),
    "transfer_likelihood": lambda task: likelihoods(task.model, on_all_sets(task), task.seed),
    "samples": prior_samples,
    "clusters": lambda task: cluster_metrics(task.model, task.recipe.data.source("test").images, task.seed),
    "one_shot": one_shot,
}
# they take a minute, or data of their own
ONLY_WHEN_NAMED = (
    "likelihood", "relaxed", "d_steps", "frechet", "second", "what", "recall", "stop_noise", "transfer",
    "transfer_likelihood", "samples", "clusters", "one_shot",
)  # fmt: skip


def available(model: Model, recipe: Recipe) -> tuple[str, ...]:
    """Metrics that make sense: a VAE has no boxes, binding is asked of scenes of one digit, structure of a rule."""
    if isinstance(recipe.data, DrawingData):
        drawn, small = ("strokes", "stop_noise", "transfer", "transfer_likelihood"), recipe.data.size == SIDE
        can_lay = not isinstance(model, DooD) or model.config.decoder == "spline"
        return (*drawn, *(("samples", "clusters") if small else ()), *(("one_shot",) if small and can_lay else ()))
    rooms, one_digit = isinstance(recipe.data, ArrowRoomData), getattr(recipe.data, "rule", "") == "mnist1"
    has_rule = not one_digit and parser_path(parser_of(recipe)).is_file()
    has_boxes = isinstance(model, GNM | Space)
    sensible = {
        "detection": has_boxes,
        "reconstruction": True,
        "binding": one_digit,
        "structure": has_rule,
        "sweeps": has_rule and can_sweep(model),
        "layers": rooms and isinstance(model, GNM) and model.config.background > 0,
        "what": has_boxes and not one_digit,
        "recall": has_rule and can_sweep(model) and not rooms,
        "likelihood": not isinstance(model, Space | Successor) and (can_sweep(model) or not isinstance(model, GNM)),
        "frechet": has_rule,
        "second": has_rule and not rooms and parser_path(second_parser(recipe)).is_file(),
        "relaxed": can_sweep(model),
        "d_steps": True,
    }
    return tuple(name for name in sensible if sensible[name])


def can_sweep(model: Model) -> bool:
    """Sweeps need symbols and a code above them."""
    return isinstance(model, GNM) and model.config.prior != "independent"


def evaluate(
    model: Model,
    recipe: Recipe,
    metrics: tuple[str, ...] = (),
    n: int = 1000,
    seed: int = 0,
    glyph_set: str | None = None,
    sweeps: int = 0,
) -> dict[str, float]:
    """The named metrics (when none are named, all that make sense and are quick) on n held-out images and n samples.

    `sweeps` are of the samples that `structure` judges. Raises ValueError for a metric that does not exist or that
    the model cannot have.
    """
    possible = available(model, recipe)
    for name in metrics:
        if name not in possible:
            raise ValueError(f"metric {name!r}: expected one of {', '.join(possible)} for {recipe.name}")
    task = Task(model, recipe, held_out(recipe, n, seed, glyph_set), seed, sweeps)
    results: dict[str, float] = {}
    for name in metrics or [name for name in possible if name not in ONLY_WHEN_NAMED]:
        results |= METRICS[name](task)
    return {name: round(value, 5) for name, value in results.items()}
