"""DooD's and AIR's recipes: at 28 x 28 for a CPU, and at the paper's 50 x 50 for a GPU."""

from dataclasses import replace

from neurosym_lite.models.dood_config import PAPER_AIR, PAPER_DOOD, AIRConfig, DooDConfig, Stop
from neurosym_lite.training.recipe import DrawingData, Phase, Recipe
from neurosym_lite.training.schedules import Schedule, constant, warm_cosine

# While every stop counts the same, each prefix has to be a good drawing; then the stop is learned. A tenth of the even
# spread stays, so that late strokes go on learning.
WARM_UP = 1000  # steps
ANY_TIME = Schedule(((WARM_UP, 1.0), (WARM_UP + 1, 0.1)))


def phase(
    steps: int,
    learning_rate: float = 2e-3,
    any_time: Schedule = ANY_TIME,
    batch: int = 64,
    beta: float = 4.0,
    **weights: Schedule,
) -> Phase:
    """One stretch of training; `weights` are schedules of other fields of DrawingWeights."""
    return Phase(
        steps=steps,
        learning_rate=warm_cosine(steps, learning_rate, 0.05 * learning_rate, warmup=50),
        weights={"any_time": any_time, "beta": constant(beta), **weights},
        batch=batch,
        clip=200.0,  # its norm grows as the likelihood narrows; the clip then normalises it
    )


def _lite(
    name: str, about: str, glyphs: str, steps: int, model: DooDConfig | AIRConfig | None = None, *more: str
) -> Recipe:
    """A recipe at 28 x 28; `more` are metrics beside that of its own drawings."""
    return Recipe(
        name=name,
        about=about,
        model=model or DooDConfig(),
        data=DrawingData(glyphs),
        phases=(phase(steps),),
        ema=0.999,
        metrics=("strokes", *more),
    )


# MNIST's edges are sharper than those of the embedded digits. A floor of 0.1 is reached early, and from then on errors
# are too cheap to be worth a better stroke.
SHARP = DooDConfig(scale_floor=0.05)

# Under a Laplace likelihood the lite AIR still drew almost nothing after 3,000 steps.
_AIR_LITE = AIRConfig(residual=True, likelihood="normal")

LITE = (
    _lite("dood-digits-lite", "DooD on the embedded digits", "digits", 10_000, None, "stop_noise"),
    _lite("dood-mnist-lite", "DooD on MNIST", "mnist", 18_000, SHARP, "transfer"),
    replace(
        _lite(
            "dood-omniglot-lite",
            "DooD on Omniglot's background set, from dood-mnist-lite on",
            "omniglot",
            4000,
            SHARP,
            "one_shot",
        ),
        start="dood-mnist-lite",
        phases=(phase(4000, 1.5e-3, Schedule(((0, 0.1),))),),
    ),
    _lite("difference-air-mnist-lite", "Difference-AIR on MNIST", "mnist", 15_000, _AIR_LITE, "transfer"),
    _lite("air-mnist-lite", "AIR on MNIST", "mnist", 8_000, replace(_AIR_LITE, residual=False), "transfer"),
)

# The paper's size. A larger batch than the paper's 64 with fewer steps: half the drawings that it saw.
_PAPER_STEPS, _PAPER_BATCH = 60_000, 256


def _paper_size(glyphs: str, kind: str = "dood", model: DooDConfig | AIRConfig = PAPER_DOOD) -> Recipe:
    return Recipe(
        name=f"{kind}-{glyphs}",
        about=f"{kind} of the paper's size on {glyphs} at 50 x 50",
        model=model,
        data=DrawingData(glyphs, 50),
        phases=(phase(_PAPER_STEPS, 1e-3, batch=_PAPER_BATCH),),
        ema=0.999,
        metrics=("strokes",),
    )


def _brief(glyphs: str) -> Recipe:
    """The same model on as many drawings as dood-mnist-lite sees: a thirteenth of what _PAPER_STEPS show it."""
    whole = _paper_size(glyphs)
    return replace(
        whole,
        name=f"dood-brief-{glyphs}",
        about=f"{whole.about}, on as many drawings as the lite one sees",
        phases=(phase(18_000, 1e-3),),
        metrics=("strokes", "transfer"),
    )


PAPER_SIZE = (
    _brief("mnist"),
    _brief("omniglot"),
    _paper_size("mnist"),
    _paper_size("omniglot"),
    _paper_size("mnist", "difference-air", replace(PAPER_AIR, residual=True)),
    _paper_size("mnist", "air", PAPER_AIR),
    *(_paper_size(glyphs) for glyphs in ("emnist", "kmnist", "quickdraw")),
)

# The stop, learned in other ways and with no warm-up: what becomes of the number of strokes?
_SHORT = _lite("dood-digits-short", "dood-digits-lite in three minutes, to turn switches on", "digits", 2000)
_AT_ONCE = Schedule(((0, 0.1),))


def _stop(switch: str, about: str, stop: Stop, any_time: Schedule = ANY_TIME, beta: float = 4.0) -> Recipe:
    """_SHORT with the stop learned in another way."""
    return replace(
        _SHORT,
        name=f"{_SHORT.name}-{switch}",
        about=about,
        model=replace(_SHORT.model, stop=stop),
        phases=(phase(2000, any_time=any_time, beta=beta),),
    )


_FREE = replace(_SHORT.phases[0], weights=_SHORT.phases[0].weights | {"price": constant(0.0)})

STOPS = (
    _SHORT,
    replace(_SHORT, name=f"{_SHORT.name}-free", about="the stop summed out, strokes without a price", phases=(_FREE,)),
    _stop("exact", "the stop by the exact ELBO", "exact"),
    _stop("nvil", "the stop by NVIL, KLs weighing 4 in its signal (the paper's)", "nvil"),
    _stop("nvil-plain", "the stop by NVIL, KLs weighing 1 in its signal", "nvil", beta=1.0),
    _stop("nvil-cold", "the stop by NVIL as in the paper, from the first step on", "nvil", _AT_ONCE),
    _stop("nvil-plain-cold", "the stop by NVIL, KLs weighing 1, from the first step on", "nvil", _AT_ONCE, beta=1.0),
    _stop("exact-cold", "the stop by the exact ELBO, from the first step on", "exact", _AT_ONCE),
)

DOOD = (*LITE, *STOPS, *PAPER_SIZE)
"""In the order in which they matter."""
