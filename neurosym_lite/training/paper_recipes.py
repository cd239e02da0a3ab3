"""GNM, its ablations and its baselines at the paper's size, for a GPU.

Sizes are the papers'. Schedules are ours, for a tenth of the released code's 1.1 million steps of 32 images: Adam with
a higher rate, presence that starts free, conditional KLs that come in over the first steps. Every cell starts present
and dark, since with a higher learning rate presence collapses before anything is drawn.

The staged recipes keep the sizes and learn as the lite models do (chapter 4), which takes a few GPU minutes.
"""

from dataclasses import replace

from neurosym_lite.models.convdraw import ConvDrawConfig
from neurosym_lite.models.genesis import GenesisConfig
from neurosym_lite.models.gnm_config import PAPER_MNIST
from neurosym_lite.models.vae import VAEConfig
from neurosym_lite.training import baseline_recipes
from neurosym_lite.training.baseline_recipes import GENESIS_BETA, SLOTS
from neurosym_lite.training.gnm_recipes import MEASURED, staged
from neurosym_lite.training.recipe import Config, Phase, Recipe, SceneData
from neurosym_lite.training.schedules import Schedule, linear, warm_cosine

SIZE = 128  # pixels
STEPS, BATCH = 120_000, 64
GENESIS_STEPS, GENESIS_BATCH = 60_000, 32
RATE = warm_cosine(STEPS, 3e-4, 3e-5, warmup=1000)
MLP_WIDTHS = (512, 512)  # of ConvDRAW-MLP (appendix D.2)
GAUSSIAN_WIDTH = 128  # of GNM-Gaussian's z_g: as many numbers as StructDRAW has in four steps (not in the paper)


def _recipe(name: str, about: str, model: Config, rule: str, phase: Phase, metrics: tuple[str, ...]) -> Recipe:
    return Recipe(
        name=f"{name}-{rule}",
        about=f"the paper's {about} on {rule}",
        model=model,
        data=SceneData(rule, "mnist", SIZE),
        phases=(phase,),
        ema=0.999,
        metrics=metrics,
    )


def _gnm(rule: str, variant: str = "", about: str = "", beta: float = 1.0, **model: object) -> Recipe:
    """GNM with other switches of its model, or all KLs of its ELBO times `beta`."""
    weights = {
        "temperature": linear(1000, 20_000, 1.0, 0.5),
        "presence": Schedule(((1000, 0.5), (8000, 0.001)), "log"),
        "beta_conditional": linear(1000, 4000, 0.0, beta),
        "beta_global": linear(0, 50_000, 0.0, beta),
    }
    config = replace(PAPER_MNIST, decoder_bias=-2.0, presence_start=0.25, **model)
    return _recipe(f"gnm{variant}", f"GNM{about}", config, rule, Phase(STEPS, RATE, weights, batch=BATCH), MEASURED)


def _baseline(rule: str, name: str, about: str, model: Config, beta: int = 1) -> Recipe:
    """A VAE or a ConvDRAW."""
    if beta != 1:
        name, about = f"{name}-beta{beta}", f"{about} with beta {beta}"
    phase = Phase(STEPS, RATE, {"beta": linear(0, 10_000, 0.0, float(beta))}, batch=BATCH)
    return _recipe(name, about, model, rule, phase, baseline_recipes.MEASURED)


def _genesis(rule: str) -> Recipe:
    """GENESIS by appendix D.2: a rate that falls after some thousand steps. The KLs are nearly free at first (ours)."""
    rate = Schedule(((0, 1e-5), (500, 3e-4), (5000, 3e-4), (5001, 1e-4), (GENESIS_STEPS, 1e-5)))
    beta = Schedule(((GENESIS_STEPS // 4, 0.1), (GENESIS_STEPS // 2, GENESIS_BETA)), "log")
    phase = Phase(GENESIS_STEPS, rate, {"beta": beta}, batch=GENESIS_BATCH)
    model = GenesisConfig(components=SLOTS[rule])
    return _recipe("genesis", "GENESIS", model, rule, phase, baseline_recipes.MEASURED)


# The paper's sizes with the lite model's wiring: what lets it learn in stages.
STAGED_GNM = replace(
    PAPER_MNIST, share_heads=False, what_from="glimpse", glimpse_encoder=(512, 256), global_from="symbols",
    gate_conditional=True, scale_start=PAPER_MNIST.scale_mean, decoder_bias=-2.0, presence_start=0.25,
    prior_components=16, embed="transformer", out_kernel=1,
)  # fmt: skip


# of the staged ones: what takes minutes; D-Steps at 128 pixels were not told in a quarter of an hour
STAGED_MEASURED = (*(metric for metric in MEASURED if metric not in ("d_steps", "relaxed")), "what")


def _staged(rule: str, phases: tuple[Phase, ...]) -> Recipe:
    """GNM by the stages of gnm_recipes, in batches of 32 as the paper has them."""
    about = f"GNM of the paper's size, wired and trained in stages as the lite one, on {rule}"
    changes = {"model": STAGED_GNM, "phases": phases, "metrics": STAGED_MEASURED}
    return replace(_gnm(rule), name=f"gnm-staged-{rule}", about=about, **changes)


CONVDRAW = ConvDrawConfig()
EIGHT_STEPS = replace(CONVDRAW, draw_steps=8)
CONVDRAW_MLP = replace(CONVDRAW, interaction="mlp", hidden=MLP_WIDTHS)

# in the order of the training list
PAPER_SIZE = (
    _staged("mnist4", staged(16_000, 50_000, 4000, peak=2.5, end=1.2)),
    _staged("mnist10", staged(10_000, 50_000, 0, peak=1.35, end=1.05)),
    _gnm("mnist4"),
    _gnm("mnist10"),
    _gnm("mnist4-10"),
    _gnm("mnist10", "-8steps", ", 8 drawing steps,", draw_steps=8),
    _gnm("mnist10", "-beta2", ", KLs of the ELBO times 2,", beta=2.0),
    _gnm("mnist4-10", "-8steps", ", 8 drawing steps,", draw_steps=8),
    _gnm("mnist4-10", "-beta2", ", KLs of the ELBO times 2,", beta=2.0),
    _gnm("mnist4-10", "-8steps-beta2", ", 8 drawing steps, KLs of the ELBO times 2,", beta=2.0, draw_steps=8),
    _gnm("mnist10", "-gaussian", " with one Gaussian z_g", prior="gaussian", latent=GAUSSIAN_WIDTH),
    _gnm("mnist10", "-nomlp", " with 3x3 convolutions for MLPs", interaction="none"),
    *(
        recipe
        for rule in ("mnist4", "mnist10")
        for recipe in (
            _baseline(rule, "vae", "VAE", VAEConfig()),
            _baseline(rule, "convdraw", "ConvDRAW", CONVDRAW),
            _baseline(rule, "convdraw-8steps", "ConvDRAW, 8 drawing steps,", EIGHT_STEPS),
            _genesis(rule),
        )
    ),
    _baseline("mnist10", "convdraw-mlp", "ConvDRAW with MLPs between cells", CONVDRAW_MLP),
    *(_baseline("mnist4-10", "convdraw", "ConvDRAW", CONVDRAW, beta) for beta in (1, 10)),
    *(_baseline("mnist4-10", "convdraw-8steps", "ConvDRAW, 8 drawing steps,", EIGHT_STEPS, b) for b in (1, 10)),
    _genesis("mnist4-10"),
)
