"""Recipes of the baselines of GNM's tables: models that imagine scenes without symbols."""

from dataclasses import replace

from neurosym_lite.models.convdraw import ConvDrawConfig
from neurosym_lite.models.vae import VAEConfig
from neurosym_lite.training.recipe import Phase, Recipe, SceneData
from neurosym_lite.training.schedules import linear, warm_cosine

MEASURED = ("reconstruction", "structure", "likelihood", "d_steps", "frechet")

# The same encoder, grid and likelihood as GNM's lite models.
CONVDRAW_LITE = ConvDrawConfig(
    image_size=64, filters=(16, 32, 48, 48, 48), strides=(2, 2, 2, 2, 1), structure=48, latent=16, hidden=(48,),
    draw_hidden=(192, 192), decoder_filters=(48, 32, 16, 8), decoder_upscales=(2, 2, 2, 2), sigma=0.1,
)  # fmt: skip
CONVDRAW_MLP_LITE = replace(CONVDRAW_LITE, interaction="mlp", latent=32, hidden=(192, 192))
VAE_LITE = VAEConfig(
    image_size=64, filters=(16, 32, 48, 48), strides=(2, 2, 2, 2), head=64, latent=64,
    decoder_filters=(64, 32, 16, 16, 8), decoder_upscales=(4, 2, 2, 2, 2), sigma=0.1,
)  # fmt: skip

WARM_UP = 2000  # steps until the KL has its weight


def _lite(name: str, about: str, model: ConvDrawConfig | VAEConfig, rule: str, steps: int, beta: float = 1.0) -> Recipe:
    return Recipe(
        name=f"{name}-{rule}-lite",
        about=f"{about} on {rule} scenes",
        model=model,
        data=SceneData(rule, "mnist"),
        phases=(
            Phase(
                steps=steps,
                learning_rate=warm_cosine(steps, 1e-3, 3e-5),
                weights={"beta": linear(0, WARM_UP, 0.0, beta)},
            ),
        ),
        ema=0.999,
        metrics=MEASURED,
    )


BASELINES = (
    _lite("vae", "D-LVM: a VAE", VAE_LITE, "mnist4", 20_000),
    _lite("convdraw", "ConvDRAW", CONVDRAW_LITE, "mnist4", 15_000),
    _lite("convdraw-8steps", "ConvDRAW, 8 drawing steps,", replace(CONVDRAW_LITE, draw_steps=8), "mnist4", 10_000),
    _lite("convdraw-mlp", "ConvDRAW with MLPs between cells", CONVDRAW_MLP_LITE, "mnist4", 15_000),
)
