"""Recipes of the baselines of GNM's tables: models that imagine scenes without symbols."""

from dataclasses import replace

from neurosym_lite.models.convdraw import ConvDrawConfig
from neurosym_lite.models.genesis import GenesisConfig
from neurosym_lite.models.vae import VAEConfig
from neurosym_lite.training.recipe import Config, Phase, Recipe, SceneData
from neurosym_lite.training.schedules import Schedule, linear, warm_cosine

MEASURED = ("reconstruction", "structure", "second", "frechet", "d_steps", "likelihood")

# From a grey canvas one ConvDRAW-MLP went to black within 300 steps, and stayed there with an empty latent.
DARK = -3.0  # logit at which a canvas starts: 0.05, about the mean of a scene

# The same canvas and likelihood as GNM's lite models, and as deep an encoder.
CONVDRAW_LITE = ConvDrawConfig(
    image_size=64, filters=(16, 32, 48, 48, 48), strides=(2, 2, 2, 2, 1), structure=48, latent=16, hidden=(48,),
    draw_hidden=(192, 192), decoder_filters=(48, 32, 16, 8), decoder_upscales=(2, 2, 2, 2), sigma=0.1,
)  # fmt: skip
EIGHT_STEPS = replace(CONVDRAW_LITE, draw_steps=8)
CONVDRAW_MLP_LITE = replace(CONVDRAW_LITE, interaction="mlp", latent=32, hidden=(192, 192), decoder_bias=DARK)
VAE_LITE = VAEConfig(
    image_size=64, filters=(16, 32, 48, 48), strides=(2, 2, 2, 2), head=64, latent=64,
    decoder_filters=(64, 32, 16, 16, 8), decoder_upscales=(4, 2, 2, 2, 2), decoder_bias=DARK, sigma=0.1,
)  # fmt: skip
GENESIS_LITE = GenesisConfig(
    image_size=64, mask_filters=(8, 16, 32, 32), mask_strides=(2, 2, 2, 1), mask_kernel=3, mask_code=128,
    mask_latent=32, posterior_lstm=96, prior_lstm=96, component_filters=(16, 16, 32, 32), component_code=64,
    component_latent=10, component_prior=(64, 64), broadcast_filters=(16, 16, 16), broadcast_scale=2, sigma=0.1,
)  # fmt: skip

WARM_UP = 2000  # steps until the KL has its weight
BETAS = (5, 10)  # of figure 4, beside 1
GENESIS_BETA = 10.0  # appendix D.2, in the place of a constrained objective
GENESIS_BATCH = 16  # images a step: K slots make each as dear as K images
SLOTS = {"mnist4": 5, "mnist10": 11, "mnist4-10": 11}  # the most digits that a scene has, and the background


def _recipe(name: str, about: str, model: Config, rule: str, phase: Phase) -> Recipe:
    return Recipe(
        name=f"{name}-{rule}-lite",
        about=f"{about} on {rule} scenes",
        model=model,
        data=SceneData(rule, "mnist"),
        phases=(phase,),
        ema=0.999,
        metrics=MEASURED,
    )


def _lite(name: str, about: str, model: Config, rule: str, steps: int, beta: int = 1) -> Recipe:
    """A VAE or a ConvDRAW, the weight of its KL raised to `beta` over the first steps."""
    if beta != 1:
        name, about = f"{name}-beta{beta}", f"{about} with beta {beta}"
    rate, weights = warm_cosine(steps, 1e-3, 3e-5), {"beta": linear(0, WARM_UP, 0.0, float(beta))}
    return _recipe(name, about, model, rule, Phase(steps, rate, weights))


def _genesis(rule: str, steps: int) -> Recipe:
    """Appendix D.2: no constraint but a plain ELBO, and a learning rate that falls after a few thousand steps.

    The KLs are nearly free at first (not in the paper): with their full weight, masks stay alike all over the canvas.
    """
    rate = Schedule(((0, 1e-5), (100, 1e-3), (steps // 3, 1e-3), (steps // 3 + 1, 3e-4), (steps, 3e-5)))
    beta = Schedule(((steps // 4, 0.1), (steps // 2, GENESIS_BETA)), "log")
    phase = Phase(steps, rate, {"beta": beta}, batch=GENESIS_BATCH)
    return _recipe("genesis", "GENESIS", replace(GENESIS_LITE, components=SLOTS[rule]), rule, phase)


def _baselines(rule: str, vae: int, convdraw: int, eight: int, genesis: int) -> tuple[Recipe, ...]:
    """The baselines of table 1 and ConvDRAW-MLP of table 2, with their steps."""
    return (
        _lite("vae", "D-LVM: a VAE", VAE_LITE, rule, vae),
        _lite("convdraw", "ConvDRAW", CONVDRAW_LITE, rule, convdraw),
        _lite("convdraw-8steps", "ConvDRAW, 8 drawing steps,", EIGHT_STEPS, rule, eight),
        _lite("convdraw-mlp", "ConvDRAW with MLPs between cells", CONVDRAW_MLP_LITE, rule, convdraw),
        _genesis(rule, genesis),
    )


BASELINES = (
    *_baselines("mnist4", 20_000, 15_000, 10_000, 9000),
    *(_lite("vae", "D-LVM: a VAE", VAE_LITE, "mnist4", 20_000, beta) for beta in BETAS),
    *(_lite("convdraw", "ConvDRAW", CONVDRAW_LITE, "mnist4", 15_000, beta) for beta in BETAS),
    *_baselines("mnist10", 25_000, 15_000, 9000, 5000),
    *(_lite("convdraw", "ConvDRAW", CONVDRAW_LITE, "mnist4-10", 15_000, beta) for beta in (1, 10)),
    *(_lite("convdraw-8steps", "ConvDRAW, 8 drawing steps,", EIGHT_STEPS, "mnist4-10", 9000, beta) for beta in (1, 10)),
    _genesis("mnist4-10", 5000),
)
