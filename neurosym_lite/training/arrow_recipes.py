"""GNM in Arrow Room: colour, masks, a background, and a relation between solids to learn.

A background learns in some hundred steps to paint all that is smooth, and then every cell that draws something else
only does harm: presence goes to zero and never comes back. Appendix C's curriculum prevents this. At first the picture
is 0.9 objects and 0.1 background, so cells have to paint even the ground; when the background is let in, those cells
turn absent that it paints as well. (The paper fills the masks of the boxes; the released code dims the background, and
that is what is done here.) Boxes pay ten times their KL, or they grow to cover the ground.
"""

from dataclasses import replace

from neurosym_lite.models.gnm_config import PAPER_ARROW_ROOM, GNMConfig
from neurosym_lite.training.gnm_recipes import PRIOR_PARTS, SYMBOL_PARTS, at_fractions, joint_phase, prior_phase
from neurosym_lite.training.recipe import ArrowRoomData, Phase, Recipe
from neurosym_lite.training.schedules import Schedule, constant, linear, warm_cosine

METRICS = ("detection", "reconstruction", "structure", "sweeps", "layers", "what", "frechet")
PAPER_METRICS = (*METRICS, "d_steps", "likelihood", "relaxed")

LITE_MODEL = GNMConfig(
    channels=3, filters=(16, 32, 64, 64, 64), what=20, decoder_bias=0.0,
    scale_mean=-1.9, where_std=(0.2, 0.3, 1.0, 1.0),  # smaller than the solids: a glimpse leaves a rim around them
    rendering="convex", background=10, background_encoder=(128, 64), background_prior=(64,),
    background_filters=(64, 32, 16), background_upscales=(4, 2, 2), background_scale=4, curriculum="image",
    prior="struct", latent=24, structure=64, hidden=(256, 256), draw_hidden=(256, 256), embed="transformer",
    prior_components=16, out_kernel=1,
)  # fmt: skip

TIGHT = 10.0  # weight of the boxes' auxiliary KL (released code: 10 to 1 over 500 steps)
# by step: objects alone, then the background comes in, then presence gets dear
FILL = linear(400, 800, 1.0, 0.0)
FINDING = {
    "temperature": linear(300, 3000, 1.0, 0.5),
    "presence": Schedule(((1000, 0.5), (2500, 0.01)), "log"),
    "mask_fill": FILL,
    "beta_background": Schedule(((800, 50.0), (3000, 1.0)), "log"),
    "beta_aux_where": constant(TIGHT),
}
FOUND = {"beta_aux_where": constant(TIGHT)}
SYMBOL_STEPS, PRIOR_STEPS, JOINT_STEPS = 7000, 16_000, 1500
# Where a solid stands is said in one cell and shared with none: above a price of 1 it would leave z_g (chapter 5),
# and scenes drawn from the symbols' modes would be empty.
PEAK = 0.6


def _symbols(steps: int, curriculum: bool = True) -> Phase:
    weights = FINDING if curriculum else {name: value for name, value in FINDING.items() if name != "mask_fill"}
    rate = warm_cosine(steps, 1e-3, 1e-4)
    return Phase(steps, rate, weights, train=(*SYMBOL_PARTS, "background"), objective="symbol_loss")


def _prior(steps: int) -> Phase:
    phase = prior_phase(steps, at_fractions(steps, (0.1, 0.03), (0.4, PEAK)))
    return replace(phase, train=(*PRIOR_PARTS, "background_prior"))


def _joint(steps: int) -> Phase:
    phase = joint_phase(steps, constant(PEAK))
    return replace(phase, weights=phase.weights | FOUND)


LITE = Recipe(
    name="gnm-arrow-lite",
    about="GNM with masks and a background on Arrow Room",
    model=LITE_MODEL,
    data=ArrowRoomData(),
    phases=(_symbols(SYMBOL_STEPS), _prior(PRIOR_STEPS), _joint(JOINT_STEPS)),
    ema=0.999,
    metrics=METRICS,
)

# What the curriculum is for: the first stage alone, and the same without `mask_fill`.
SHORT = replace(
    LITE, name="gnm-arrow-short", about="the symbols of gnm-arrow-lite, shorter", phases=(_symbols(3000),),
    metrics=("detection", "reconstruction", "layers"),
)  # fmt: skip
BARE = replace(
    SHORT, name="gnm-arrow-short-bare", about="gnm-arrow-short without the curriculum",
    phases=(_symbols(3000, curriculum=False),),
)  # fmt: skip

PAPER_STEPS, PAPER_BATCH = 120_000, 64
PAPER_FINDING = {
    "temperature": linear(1000, 20_000, 1.0, 0.5),
    "presence": Schedule(((2000, 0.5), (8000, 0.001)), "log"),
    "mask_fill": linear(800, 1600, 1.0, 0.0),
    "beta_background": linear(0, 50_000, 50.0, 1.0),
    "beta_aux_where": linear(2000, 8000, 10.0, 1.0),
    "beta_conditional": linear(2000, 8000, 0.0, 1.0),
    "beta_global": linear(0, 50_000, 0.0, 1.0),
}
PAPER = Recipe(
    name="gnm-arrow",
    about="the paper's GNM on Arrow Room",
    model=replace(PAPER_ARROW_ROOM, curriculum="image", presence_start=0.25),
    data=ArrowRoomData(128, 60_000),
    phases=(Phase(PAPER_STEPS, warm_cosine(PAPER_STEPS, 3e-4, 3e-5, warmup=1000), PAPER_FINDING, batch=PAPER_BATCH),),
    ema=0.999,
    metrics=PAPER_METRICS,
)

ARROW = (LITE, SHORT, BARE, PAPER)
