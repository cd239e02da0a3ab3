"""DooD's transfer (figure 4): six models, each trained on each of five sets of characters, for the same steps.

All have the same Laplace likelihood with the same floor, so their likelihoods have the same ceiling. Only MNIST with
affine-moved digits is apart, for DooD and Difference-AIR: it asks what variety does for transfer, with and without
strokes.
"""

from neurosym_lite.models.dood_config import AIRConfig, DooDConfig
from neurosym_lite.training.dood_recipes import SHARP, WARM_UP, phase
from neurosym_lite.training.recipe import DrawingData, Phase, Recipe
from neurosym_lite.training.schedules import linear

STEPS = 4000
FLOOR = SHARP.scale_floor
SETS = ("mnist", "emnist", "kmnist", "quickdraw", "omniglot")  # learned, and tried on
MEASURED = ("strokes", "transfer", "transfer_likelihood")
IMAGINED = ("samples", "clusters")  # of figure 4's models as well

# name -> what it is, and its configuration; the first three are figure 4's, the others its ablations
MODELS: dict[str, tuple[str, DooDConfig | AIRConfig]] = {
    "dood": ("DooD", SHARP),
    "difference-air": ("Difference-AIR", AIRConfig(residual=True, scale_floor=FLOOR)),
    "air": ("AIR", AIRConfig(scale_floor=FLOOR)),
    "dood-eg": ("DooD without execution guidance", DooDConfig(scale_floor=FLOOR, execution_guidance=False)),
    "dood-dr": ("DooD with a neural decoder for its pen", DooDConfig(scale_floor=FLOOR, decoder="neural")),
    "dood-independent": ("DooD with an independent prior", DooDConfig(scale_floor=FLOOR, prior="independent")),
}
FIGURE_4 = tuple(MODELS)[:3]


def has_neural_decoder(model: DooDConfig | AIRConfig) -> bool:
    """Whether rasters come from an MLP: AIR, Difference-AIR and DooD-dR."""
    return isinstance(model, AIRConfig) or model.decoder == "neural"


def _phase(model: DooDConfig | AIRConfig) -> Phase:
    """The same steps for all. A neural decoder begins under a normal likelihood.

    Under the Laplace from the first step on, its best guess for an uncertain pixel is black, and AIR still drew almost
    nothing after 3,000 steps.
    """
    if has_neural_decoder(model):
        return phase(STEPS, normal=linear(WARM_UP - 200, WARM_UP + 200, 1.0, 0.0))
    return phase(STEPS)


def _recipe(kind: str, glyphs: str, moved: float = 0.0) -> Recipe:
    about, model = MODELS[kind]
    how = f"{glyphs}, most of it through random affine maps" if moved else glyphs
    return Recipe(
        name=f"{kind}{'-moved' if moved else ''}-{glyphs}-short",
        about=f"{about} on {how}, for the tables of transfer",
        model=model,
        data=DrawingData(glyphs, moved=moved),
        phases=(_phase(model),),
        ema=0.999,
        metrics=(*MEASURED, *_further(kind, glyphs, moved)),
    )


def _further(kind: str, glyphs: str, moved: float) -> tuple[str, ...]:
    """Of figure 4's models; one-shot classification of AIR's on Omniglot (DooD's is measured of dood-omniglot-lite)."""
    if moved or kind not in FIGURE_4:
        return ()
    return (*IMAGINED, "one_shot") if glyphs == "omniglot" and kind != "dood" else IMAGINED


TRANSFER = (
    *(_recipe(kind, glyphs) for kind in MODELS for glyphs in SETS),
    *(_recipe(kind, "mnist", moved=0.8) for kind in ("dood", "difference-air")),
)
"""In the order in which the page needs them."""
