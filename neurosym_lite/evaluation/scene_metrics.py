"""What is asked of models of scenes: each metric a function of a task."""

from dataclasses import replace

import torch
from jaxtyping import Float, UInt8
from torch import Generator, Tensor

from neurosym_lite.data.arrow_room import ArrowScenes
from neurosym_lite.data.own_images import Images
from neurosym_lite.data.scenes import Scenes
from neurosym_lite.distributions import image_log_likelihood
from neurosym_lite.evaluation.discriminability import Look, d_steps, learning_curve
from neurosym_lite.evaluation.frechet import frechet_distance, frechet_error, parser_features
from neurosym_lite.evaluation.images import as_bytes, in_batches, mean_and_error
from neurosym_lite.evaluation.likelihood import Bound, importance_weighted
from neurosym_lite.evaluation.parser import load_parser, parser_path
from neurosym_lite.evaluation.room_parser import GLYPHS as ROOMS
from neurosym_lite.evaluation.room_structure import room_structure_metrics
from neurosym_lite.evaluation.structure import SIDES, accepts, share, structure_metrics
from neurosym_lite.evaluation.task import Task
from neurosym_lite.evaluation.what import what_metrics
from neurosym_lite.models.genesis import Genesis
from neurosym_lite.models.gnm import GNM
from neurosym_lite.models.space import Space
from neurosym_lite.training.recipe import ArrowRoomData, Model, Recipe, SceneModel

BATCH = 100  # images at a time
SWEEPS = 2  # of pseudo-Gibbs, where a record says swept: fixed before anything was measured
DISCRIMINATORS = 3  # classifiers, by seed, that have to tell samples from scenes
STEPS_CAP = 2000  # steps that each of them has at most; at the paper's size 20,000 would be right
IMPORTANCE_SAMPLES = 100  # an image (GNM, section 4)
RELAXED_SCENES = 100  # that relaxed presence is tried on
WHAT_SCENES = 5000  # that a reader of z_what learns from
WHAT_SEED = 4_000_037  # keeps them apart from the held-out ones

Seen = Scenes | ArrowScenes | Images


@torch.no_grad()
def redrawn(model: SceneModel, scenes: Seen) -> Float[Tensor, "B C H W"]:
    """The scenes as the model sees them: drawn from the mode of its posterior."""
    return torch.cat([model.redraw(batch.float() / 255) for batch in scenes.images.split(BATCH)])


def reconstruction(model: SceneModel, scenes: Seen) -> dict[str, float]:
    """Error a pixel, and log likelihood in nats an image, of the reconstruction from the mode of the posterior."""
    images, drawn = scenes.images.float() / 255, redrawn(model, scenes)
    metrics = {"mse": float((images - drawn).square().mean())}
    if isinstance(model, Genesis | Space):  # its likelihood is a mixture's, not that around the mixture's mean
        return metrics
    return metrics | {"log_likelihood": float(image_log_likelihood(images, drawn, model.config.sigma).mean())}


@torch.no_grad()
def imagine(model: Model, n: int, seed: int, sweeps: int = 0) -> UInt8[Tensor, "n C H W"]:
    """n images from the model's prior, 0 to 255, the same for the same seed; `sweeps` are GNM's (`GNM.sample`)."""
    generator = Generator().manual_seed(seed)
    return in_batches(lambda _, number: sampled(model, number, generator, sweeps), n, BATCH)


@torch.no_grad()
def sampled(model: Model, n: int, generator: Generator, sweeps: int = 0) -> Float[Tensor, "n C H W"]:
    """n images from the model's prior by that generator."""
    return model.sample(n, generator, sweeps).images if isinstance(model, GNM) else model.sample(n, generator)


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
    mean, error = mean_and_error(bound.log_likelihood)
    effective = float(bound.effective.median())
    return {"likelihood": mean, "likelihood_error": error, "likelihood_effective": effective}


def relaxed_difference(task: Task) -> dict[str, float]:
    """By how much a GNM's likelihood comes out otherwise the released code's way, with relaxed presence: no bound."""
    hard, relaxed = (_bounds(task, RELAXED_SCENES, how).log_likelihood for how in (False, True))
    mean, error = mean_and_error(relaxed - hard)
    return {"relaxed_difference": mean, "relaxed_difference_error": error}


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
        lambda n, generator: as_bytes(sampled(model, n, generator, sweeps)),
        seed,
        STEPS_CAP,
    )


def second_opinion(task: Task) -> dict[str, float]:
    """Structure accuracy of the same samples as `structure` judges, read by a parser of another seed and make."""
    samples = imagine(task.model, len(task.scenes.images), task.seed, task.sweeps)
    accepted = accepts(samples, task.recipe.data.rule, load_parser(second_parser(task.recipe)))
    return dict(zip(("second_accuracy", "second_low", "second_high"), share(accepted), strict=True))


def what(task: Task) -> dict[str, float]:
    """What z_what knows of the objects: read on held-out scenes, learnt from WHAT_SCENES of training characters."""
    source = replace(task.recipe.data, scenes=0).source("train")
    train = source.batch(WHAT_SCENES, Generator().manual_seed(task.seed + WHAT_SEED))
    return what_metrics(task.model, train, task.scenes)


def parser_of(recipe: Recipe) -> str:
    """Name of the parser that reads the recipe's scenes."""
    return ROOMS if isinstance(recipe.data, ArrowRoomData) else recipe.data.glyphs


def is_read(recipe: Recipe) -> bool:
    """Is there a parser for the recipe's scenes? Those of characters know a black background alone."""
    black = getattr(recipe.data, "backdrop", "black") == "black"
    return black and recipe.data.size in SIDES and parser_path(parser_of(recipe)).is_file()


def second_parser(recipe: Recipe) -> str:
    """Name of the parser that checks the one of the recipe's handwriting."""
    return f"{parser_of(recipe)}-second"


def frechet(task: Task) -> dict[str, float]:
    """Fréchet distance between samples and held-out scenes in the parser's features, with its standard error."""
    parser, scenes = load_parser(parser_of(task.recipe)), task.scenes.images
    samples = imagine(task.model, len(scenes), task.seed, task.sweeps)
    features = parser_features(parser, samples), parser_features(parser, scenes)
    return {"frechet": frechet_distance(*features), "frechet_error": frechet_error(*features)}
