"""Recipes that fail, the same recipes cured, and controls between the two: what the failure gallery shows.

Each pair differs in what its `about` says and in nothing else, and so does a control from the run that its `about`
names. The model is a smaller one than elsewhere, so that a failure can be watched in a minute or two.
"""

from dataclasses import replace

from neurosym_lite.models.dood_config import DooDConfig
from neurosym_lite.models.gnm_config import GNMConfig
from neurosym_lite.training.recipe import DrawingData, Phase, Recipe, SceneData
from neurosym_lite.training.schedules import Schedule, constant, linear, warm_cosine

SMALL = GNMConfig(
    filters=(8, 16, 24, 24, 24), heads=(32,), what=8, glimpse_encoder=(96, 64), glimpse_decoder=(64, 128),
    prior="independent", structure=24, hidden=(64,), latent=16,
)  # fmt: skip
WEIGHTS = {"temperature": linear(200, 800, 1.0, 0.5), "presence": Schedule(((300, 0.5), (800, 0.02)), "log")}


def _run(name: str, about: str, model: GNMConfig, steps: int, weights: dict[str, Schedule], **data: str) -> Recipe:
    return Recipe(
        name=name,
        about=about,
        model=model,
        data=SceneData("mnist4", "digits", **data),
        phases=(Phase(steps=steps, learning_rate=warm_cosine(steps, 1e-3, 2e-4), weights=WEIGHTS | weights),),
        ema=0.99,
        metrics=("detection", "reconstruction"),
    )


# before shaded walls: masks, and a background picture that the same encoder infers
_BEFORE_WALLS = replace(
    SMALL, rendering="convex", background=8, background_encoder=(64,), background_filters=(64, 32, 16, 16, 8),
    background_upscales=(4, 2, 2, 2, 2), curriculum="image",
)  # fmt: skip
_RARER = {"presence": Schedule(((300, 0.5), (800, 0.001)), "log")}
_SYMBOLS_FIRST = {"beta_conditional": linear(400, 800, 0.0, 1.0)}
_PAPERS_START = replace(SMALL, what_from="cell", presence_start=0.0)
_DEAR_OBJECTS = {"temperature": constant(0.5), "presence": constant(0.001)}
_FREE_OBJECTS = _DEAR_OBJECTS | {"presence": Schedule(((200, 0.5), (500, 0.001)), "log")}
_GLOBAL = replace(SMALL, prior="gaussian")

SCENES = (
    _run(
        "failure-digits4-presence",
        "presence collapse: objects are dear from the first step, before they are of any use",
        _PAPERS_START, 600, _DEAR_OBJECTS,
    ),
    _run(
        "cure-digits4-presence", "the same with objects that cost nothing at first",
        _PAPERS_START, 600, _FREE_OBJECTS,
    ),
    _run(
        "failure-digits4-global",
        "posterior collapse of the global code: it is dear from the first step, before it is of any use",
        _GLOBAL, 2000, _SYMBOLS_FIRST | {"beta_global": constant(5.0)},
    ),
    _run(
        "cure-digits4-global", "the same with a global code that is nearly free at first",
        _GLOBAL, 2000,
        _SYMBOLS_FIRST | {"beta_global": Schedule(((800, 0.03), (1600, 1.0)), "log")},
    ),
    _run(
        "failure-digits4-grey",
        "grey boxes: under a wide likelihood a digit's look is not worth its nats, and every digit is the same smudge",
        replace(SMALL, sigma=0.5), 1000, {"presence": constant(0.5)},
    ),
    _run(
        "cure-digits4-grey", "the same with a likelihood as narrow as the canvas is small",
        SMALL, 1000, {"presence": constant(0.5)},
    ),
    _run(
        "failure-digits4-background",
        "the background eats the objects: it is opaque from the first step, and objects are clear as glass",
        _BEFORE_WALLS, 1000, _RARER, backdrop="shaded",
    ),
    _run(
        "cure-digits4-background", "the same with a background that has a tenth of every pixel at first",
        _BEFORE_WALLS, 1000, _RARER | {"mask_fill": linear(200, 400, 1.0, 0.0)}, backdrop="shaded",
    ),
)  # fmt: skip

DRAWER = DooDConfig(strokes=4, hidden=64, components=4, glimpse=14, filters=(8, 16), samples=32)
DRAWER_STEPS, DRAWER_WARM_UP = 1000, 500


def _draw(name: str, about: str, model: DooDConfig, weights: dict[str, Schedule]) -> Recipe:
    learning_rate = warm_cosine(DRAWER_STEPS, 4e-3, 2e-4, warmup=50)
    return Recipe(
        name=name,
        about=about,
        model=model,
        data=DrawingData("digits"),
        phases=(Phase(steps=DRAWER_STEPS, learning_rate=learning_rate, weights=weights, clip=200.0),),
        ema=0.99,
        metrics=("strokes",),
    )


def _any_time_until_warm(share: float) -> dict[str, Schedule]:
    """All stops count the same while warming up; then `share` of the parts' weight stays spread over them."""
    return {"any_time": Schedule(((DRAWER_WARM_UP, 1.0), (DRAWER_WARM_UP + 1, share)))}


_DEAR = {"price": constant(40.0)}
_PLAIN_SIGNAL = _any_time_until_warm(0.1) | {"beta": constant(1.0)}
_SUMMED_INK = replace(DRAWER, compositing="sum-tanh")

STROKES = (
    _draw(
        "failure-digits-stop", "stop collapse: strokes are dear from the first step, before they are of any use",
        DRAWER, _DEAR | {"any_time": constant(0.0)},
    ),
    _draw(
        "cure-digits-stop", "the same with a warm-up in which every stop counts the same",
        DRAWER, _DEAR | _any_time_until_warm(0.0),
    ),
    _draw(
        "failure-digits-always",
        "always all strokes: NVIL, with KLs weighing 1 in its signal, tries no shorter drawing once it is sure",
        replace(DRAWER, stop="nvil"), _PLAIN_SIGNAL,
    ),
    _draw(
        "cure-digits-always", "the same with the stopping time summed out of the bound",
        DRAWER, _PLAIN_SIGNAL,
    ),
    _draw(
        "failure-digits-ink", "ink blow-up: strokes are summed so steeply that their faint edges are full ink too",
        replace(_SUMMED_INK, ink_slope=0.02), _any_time_until_warm(0.1),
    ),
    _draw(
        "cure-digits-ink", "the same with the slope that the paper's code begins with",
        _SUMMED_INK, _any_time_until_warm(0.1),
    ),
)  # fmt: skip

# what the gallery says of causes was tried by these
CONTROLS = (
    _run(
        "control-digits4-presence-start", "failure-digits4-presence with objects that are there at the start",
        replace(_PAPERS_START, presence_start=SMALL.presence_start), 600, _DEAR_OBJECTS,
    ),
    _run(
        "control-digits4-presence-grey", "cure-digits4-presence with glimpses that start grey instead of dark",
        replace(_PAPERS_START, decoder_bias=0.0), 600, _FREE_OBJECTS,
    ),
    _run(
        "control-digits4-global-one", "failure-digits4-global with a price of 1 from the first step to the last",
        _GLOBAL, 2000, _SYMBOLS_FIRST | {"beta_global": constant(1.0)},
    ),
    _run(
        "control-digits4-global-dear", "cure-digits4-global with a price that rises to 5 instead of 1",
        _GLOBAL, 2000, _SYMBOLS_FIRST | {"beta_global": Schedule(((800, 0.03), (1600, 5.0)), "log")},
    ),
    _run(
        "control-digits4-grey-paper", "failure-digits4-grey with the paper's sigma, 0.2",
        replace(SMALL, sigma=0.2), 1000, {"presence": constant(0.5)},
    ),
    _run(
        "control-digits4-grey-wide", "failure-digits4-grey with a sigma of 0.3",
        replace(SMALL, sigma=0.3), 1000, {"presence": constant(0.5)},
    ),
    _run(
        "control-digits4-background-masks", "cure-digits4-background with masks filled all over their boxes instead",
        replace(_BEFORE_WALLS, curriculum="box"), 1000, _RARER | {"mask_fill": linear(200, 400, 1.0, 0.0)},
        backdrop="shaded",
    ),
    _draw(
        "control-digits-always-exact", "failure-digits-always by the exact ELBO, which tries all stops",
        replace(DRAWER, stop="exact"), _PLAIN_SIGNAL,
    ),
    _draw(
        "control-digits-always-free", "cure-digits-always without its price of 10 nats a stroke",
        DRAWER, _PLAIN_SIGNAL | {"price": constant(0.0)},
    ),
)  # fmt: skip

FAILURES = (*SCENES, *STROKES, *CONTROLS)
