"""SPACE's recipes: what GNM's boxes and codes are held against in table 4, at lite size and at the paper's."""

from neurosym_lite.models.gnm_config import GNMConfig
from neurosym_lite.models.space import SpaceConfig
from neurosym_lite.training.gnm_recipes import FINDING
from neurosym_lite.training.recipe import Phase, Recipe, SceneData
from neurosym_lite.training.schedules import Schedule, constant, linear, warm_cosine

METRICS = ("detection", "reconstruction", "what")
BOUNDARY = 20.0  # weight of the boundary loss

# The foreground as GNM's lite model sees, before black: MNIST scenes have no background to part.
LITE = SpaceConfig(GNMConfig(prior="independent", rendering="convex"))
# SPACE's sizes on a 4 x 4 grid: a glimpse of 32 pixels, 32 numbers of appearance.
PAPER_SIZE = SpaceConfig(
    GNMConfig(
        image_size=128, sigma=0.15, prior="independent", rendering="convex",
        filters=(16, 16, 32, 32, 64, 64, 128, 128, 256), strides=(2, 1, 2, 1, 2, 1, 2, 1, 2), heads=(128, 128),
        what=32, scale_mean=-1.6, glimpse_size=32, glimpse_window=1.0, glimpse_encoder=(512, 256),
        glimpse_net="subpixel", glimpse_decoder=(256, 128, 128, 64, 32, 16), glimpse_upscales=(2, 2, 2, 2, 2, 1),
    )
)  # fmt: skip

PAPER_STEPS = 120_000
PAPER_FINDING = {
    "temperature": linear(1000, 20_000, 1.0, 0.5),
    "presence": Schedule(((1000, 0.5), (8000, 0.01)), "log"),
}


def _space(name: str, rule: str, model: SpaceConfig, size: int, phase: Phase) -> Recipe:
    return Recipe(
        name=name,
        about=f"SPACE on {rule} scenes",
        model=model,
        data=SceneData(rule, "mnist", size),
        phases=(phase,),
        ema=0.999,
        metrics=METRICS,
    )


def _lite(rule: str, steps: int) -> Recipe:
    phase = Phase(steps, warm_cosine(steps, 1e-3, 1e-4), FINDING | {"boundary": constant(BOUNDARY)})
    return _space(f"space-{rule}-lite", rule, LITE, 64, phase)


def _paper(rule: str) -> Recipe:
    rate = warm_cosine(PAPER_STEPS, 3e-4, 3e-5, warmup=1000)
    phase = Phase(PAPER_STEPS, rate, PAPER_FINDING | {"boundary": constant(BOUNDARY)}, batch=64)
    return _space(f"space-{rule}", rule, PAPER_SIZE, 128, phase)


SPACE = (_lite("mnist4", 9000), _lite("mnist10", 20_000))
SPACE_PAPER = (_paper("mnist4"), _paper("mnist10"))
