"""The recipes by name.

Names say model, data, size: `gnm-gaussian-digits4-lite` is GNM with the Gaussian prior on MNIST-4's rule, drawn with
the embedded handwriting, at a size that a laptop trains. A name without `-lite` or `-short` is the paper's size, for a
GPU.
"""

from difflib import get_close_matches

from neurosym_lite.models.gnm_config import GNMConfig
from neurosym_lite.models.vae import VAEConfig
from neurosym_lite.training.arrow_recipes import ARROW
from neurosym_lite.training.baseline_recipes import BASELINES
from neurosym_lite.training.dood_recipes import DOOD
from neurosym_lite.training.experiment_recipes import EXPERIMENTS
from neurosym_lite.training.failure_recipes import FAILURES
from neurosym_lite.training.gnm_recipes import FIRST_GNM, FULL_GNM, SYMBOL_SCHEDULES
from neurosym_lite.training.paper_recipes import PAPER_SIZE
from neurosym_lite.training.recipe import Phase, Recipe, SceneData
from neurosym_lite.training.schedules import Schedule, linear, warm_cosine
from neurosym_lite.training.space_recipes import SPACE, SPACE_PAPER
from neurosym_lite.training.successor_recipes import SUCCESSORS
from neurosym_lite.training.transfer_recipes import TRANSFER


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

ONE_DIGIT = (
    _one_digit("vae", "D-LVM: a VAE on scenes of one digit", _LITE_VAE, {"beta": linear(0, 1000, 0.0, 1.0)}),
    _one_digit(
        "slvm",
        "S-LVM: symbols with an independent prior, on scenes of one digit",
        GNMConfig(prior="independent", presence_prior=1 / 16),
        SYMBOL_SCHEDULES,
    ),
)

LITE_SCENES = (*ONE_DIGIT, FIRST_GNM, *FULL_GNM, *EXPERIMENTS, *BASELINES, *SPACE, *ARROW, *SUCCESSORS)
SCENES = (*LITE_SCENES, *PAPER_SIZE, *SPACE_PAPER)
RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (*SCENES, *FAILURES, *DOOD, *TRANSFER)}


def get_recipe(name: str) -> Recipe:
    """The recipe of that name. Raises ValueError with the names that are close where there is none."""
    if name not in RECIPES:
        close = get_close_matches(name, RECIPES)
        hint = f"did you mean {' or '.join(close)}? All: " if close else "for all names: "
        raise ValueError(f"unknown recipe {name!r}: {hint}python -m neurosym_lite list")
    return RECIPES[name]
