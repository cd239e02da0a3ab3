"""Recipes: everything that decides a trained model, under a name.

Names say model, data, size: `gnm-gaussian-digits4-lite` is GNM with the Gaussian prior on MNIST-4's rule, drawn with
the embedded handwriting, at a size that a laptop trains. A name without `-lite` is the paper's size, for a GPU.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

from neurosym_lite.models.gnm import GNM
from neurosym_lite.models.gnm_config import GNMConfig
from neurosym_lite.models.vae import VAE, VAEConfig
from neurosym_lite.training.schedules import Schedule, constant, linear, warm_cosine

MODELS = {GNMConfig: GNM, VAEConfig: VAE}


@dataclass(frozen=True)
class SceneData:
    """Where the training images come from."""

    rule: str  # a key of data.scenes.RULES
    glyphs: str = "digits"  # handwriting: "digits" is embedded, "mnist" is downloaded
    size: int = 64  # canvas side, pixels


@dataclass(frozen=True)
class Phase:
    """A stretch of training with one optimiser and one set of schedules."""

    steps: int
    learning_rate: Schedule
    weights: dict[str, Schedule]  # by field of the model's Weights; what has a default there may be left out
    batch: int = 32  # images a step
    clip: float = 10.0  # largest global norm of the gradient
    train: tuple[str, ...] = ()  # names of the parts that learn; () is all
    objective: Literal["loss", "symbol_loss", "prior_loss"] = "loss"  # the model's method that is minimised
    bank: int = 0  # scenes whose symbols are inferred once and held fixed (prior_loss alone, and it needs them)


@dataclass(frozen=True)
class Recipe:
    """A named training run."""

    name: str
    about: str  # one line: what it is for
    model: GNMConfig | VAEConfig
    data: SceneData
    phases: tuple[Phase, ...]
    seed: int = 0
    ema: float = 0.0  # decay of the averaged weights that are shipped; 0 ships the last ones
    start: str | None = None  # recipe whose checkpoint gives the first weights
    metrics: tuple[str, ...] = field(default=())  # what a finished run is evaluated by

    @property
    def steps(self) -> int:
        """Steps of all phases together."""
        return sum(phase.steps for phase in self.phases)

    def build(self) -> GNM | VAE:
        """The untrained model, drawn from torch's default generator."""
        return MODELS[type(self.model)](self.model)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for headers and records; two recipes are the same run if these are equal."""
        plain = dataclasses.asdict(self)
        plain["model"] = {"kind": type(self.model).__name__, **plain["model"]}
        return plain

    def phase_at(self, step: int) -> tuple[Phase, int]:
        """The phase that a step (counted over all phases) belongs to, and the step within it."""
        for phase in self.phases:
            if step < phase.steps:
                return phase, step
            step -= phase.steps
        raise ValueError(f"step beyond the end of recipe {self.name!r}")


# What finds objects in 64 x 64 scenes: every cell may draw at first, then presence costs more and more. The symbols
# settle before z_g has to predict them, and z_g is nearly free at first: with its full price from the start it stays
# empty (its KL goes to zero within a few hundred steps).
_GNM_LITE_WEIGHTS = {
    "temperature": linear(300, 3000, 1.0, 0.5),
    "presence": Schedule(((500, 0.5), (3000, 0.01)), "log"),
    "beta_conditional": linear(1000, 2500, 0.0, 1.0),
    "beta_global": Schedule(((2500, 0.03), (4500, 1.0)), "log"),
}


def _gnm_gaussian_lite(rule: str, glyphs: str, steps: int) -> Recipe:
    return Recipe(
        name=f"gnm-gaussian-{_name(rule, glyphs)}-lite",
        about=f"GNM with a Gaussian global prior on {rule} scenes of {glyphs} handwriting",
        model=GNMConfig(),
        data=SceneData(rule, glyphs),
        phases=(Phase(steps=steps, learning_rate=warm_cosine(steps, 1e-3, 1e-4), weights=_GNM_LITE_WEIGHTS),),
        ema=0.999,
        metrics=("detection", "reconstruction"),
    )


def _one_digit(name: str, about: str, model: GNMConfig | VAEConfig, weights: dict[str, Schedule]) -> Recipe:
    """Chapter 1's world: one handwritten digit anywhere on a 64 x 64 canvas."""
    return Recipe(
        name=f"{name}-digits1-lite",
        about=about,
        model=model,
        data=SceneData("mnist1", "digits"),
        phases=(Phase(steps=5000, learning_rate=warm_cosine(5000, 1e-3, 1e-4), weights=weights),),
        ema=0.999,
        metrics=("binding", "reconstruction"),
    )


_LITE_VAE = VAEConfig(
    image_size=64,
    filters=(16, 32, 48, 48),
    strides=(2, 2, 2, 2),
    head=64,
    latent=10,
    decoder_filters=(64, 32, 16, 16, 8),
    decoder_upscales=(4, 2, 2, 2, 2),
    sigma=0.1,
)

# The full GNM at 64 x 64, in three stages. First the symbols alone, by reconstruction. Then the prior over scenes, on
# symbols that stand still. z_g is nearly free at first, so that all it could say enters it; then beta_g rises over 1, so
# that what the symbols share is said once and not symbol by symbol; then it relaxes. Last everything together.
_BOX_STEPS, _PRIOR_STEPS, _JOINT_STEPS = 9000, 22_000, 4000

_STRUCT_LITE = GNMConfig(
    prior="struct",
    latent=16,
    embed="transformer",
    prior_components=16,
    out_kernel=1,
)


def _at(steps: int, *points: tuple[float, float]) -> Schedule:
    """A line through points given as fractions of a phase's steps."""
    return Schedule(tuple((round(fraction * steps), value) for fraction, value in points))


def _staged_phases(peak: float, end: float, steps: tuple[int, int, int]) -> tuple[Phase, ...]:
    """Symbols, prior, all: `peak` is the largest beta_g and `end` the last one of the prior's phase."""
    box, prior, joint = steps
    late = {"temperature": constant(0.5), "presence": constant(0.01)}
    return (
        Phase(
            steps=box,
            learning_rate=warm_cosine(box, 1e-3, 1e-4),
            weights={
                "temperature": linear(300, 3000, 1.0, 0.5),
                "presence": Schedule(((500, 0.5), (3000, 0.01)), "log"),
            },
            train=("encoder", "posterior_heads", "glimpse_encoder", "glimpse_decoder"),
            objective="symbol_loss",
        ),
        Phase(
            steps=prior,
            learning_rate=warm_cosine(prior, 1e-3, 3e-5),
            weights=late
            | {
                "beta_global": _at(prior, (0.15, 0.03), (0.3, peak), (0.7, peak), (0.95, end)),
                "beta_where": _at(prior, (0.0, 0.2), (0.2, 1.0)),
                "beta_presence": constant(3.0),
            },
            clip=20.0,
            train=("globals", "prior_heads"),
            objective="prior_loss",
            bank=49_152,
        ),
        Phase(
            steps=joint,
            learning_rate=warm_cosine(joint, 5e-4, 1e-5),
            weights=late | {"beta_global": _at(joint, (0.3, end), (0.8, 1.1)), "beta_presence": constant(3.0)},
        ),
    )


def _name(rule: str, glyphs: str) -> str:
    return f"{'digits' if glyphs == 'digits' else 'mnist'}{rule.removeprefix('mnist')}"


def _struct_lite(rule: str, glyphs: str, peak: float, end: float, steps: tuple[int, int, int]) -> Recipe:
    return Recipe(
        name=f"gnm-{_name(rule, glyphs)}-lite",
        about=f"the full GNM on {rule} scenes of {glyphs} handwriting",
        model=_STRUCT_LITE,
        data=SceneData(rule, glyphs),
        phases=_staged_phases(peak, end, steps),
        ema=0.999,
        metrics=("detection", "reconstruction"),
    )


_RECIPES = (
    _one_digit("vae", "D-LVM: a VAE on scenes of one digit", _LITE_VAE, {"beta": linear(0, 1000, 0.0, 1.0)}),
    _one_digit(
        "slvm",
        "S-LVM: symbols with an independent prior, on scenes of one digit",
        GNMConfig(prior="independent", presence_prior=1 / 16),
        _GNM_LITE_WEIGHTS,
    ),
    _gnm_gaussian_lite("mnist4", "digits", 5000),
    _gnm_gaussian_lite("mnist4", "mnist", 5000),
    _struct_lite("mnist4", "digits", 2.5, 1.2, (_BOX_STEPS, _PRIOR_STEPS, _JOINT_STEPS)),
    _struct_lite("mnist4", "mnist", 2.5, 1.2, (_BOX_STEPS, _PRIOR_STEPS, _JOINT_STEPS)),
)

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in _RECIPES}


def get_recipe(name: str) -> Recipe:
    """The recipe of that name. Raises ValueError with the list of names where there is none."""
    if name not in RECIPES:
        raise ValueError(f"unknown recipe {name!r}: expected one of {', '.join(RECIPES)}")
    return RECIPES[name]
