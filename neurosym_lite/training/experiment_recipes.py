"""GNM's experiments at the size of the book: what its tables ablate, its betas, and how many scenes it needs.

Each is one of gnm_recipes.LITE, or MNIST4_10 below, with a switch of its model turned, trained on with another price,
or trained on fewer scenes.
"""

from dataclasses import replace

from neurosym_lite.training.gnm_recipes import LITE, MEASURED, STRUCT_LITE, data_name, joint_phase, prior_phase, staged
from neurosym_lite.training.recipe import Recipe, SceneData
from neurosym_lite.training.schedules import constant

WINDOW = (1, 2, 3, 4, 7)  # constant beta_g that decide which facts stay in z_g
SCENES = (100, 300, 1000, 3000, 10_000, 60_000)  # training sets; the paper's is the last

MNIST4, MNIST10 = LITE[1:]
# Two kinds of scene, and the same window for beta_g as MNIST-10 (its triples leave z_g above 1.84).
MNIST4_10 = Recipe(
    name="gnm-mnist4-10-lite",
    about="the full GNM on mnist4-10 scenes of mnist handwriting",
    model=replace(STRUCT_LITE, hidden=(256, 256)),
    data=SceneData("mnist4-10", "mnist"),
    phases=staged(20_000, 60_000, 0, peak=1.35, end=1.05),
    ema=0.999,
    metrics=MEASURED,
)


def _variant(base: Recipe, variant: str, about: str, **changes: object) -> Recipe:
    """The recipe with some of its fields changed; with "beta2", gnm-mnist4-lite is called gnm-beta2-mnist4-lite."""
    data = f"-{data_name(base.data.rule, base.data.glyphs)}"
    name = base.name.replace(data, f"-{variant}{data}")
    return replace(base, name=name, about=f"{base.about}: {about}", **{"metrics": MEASURED} | changes)


def _turned(base: Recipe, variant: str, about: str, **model: object) -> Recipe:
    """The recipe with other switches of its model."""
    return _variant(base, variant, about, model=replace(base.model, **model))


def _ablations(base: Recipe) -> tuple[Recipe, Recipe]:
    """Table 2: GNM-Gaussian and GNM-NoMLP. Neither can have the lite prior's mixtures; "single" is their control."""
    return (
        _turned(base, "gaussian", "one Gaussian z_g instead of StructDRAW", prior="gaussian", latent=64),
        _turned(base, "nomlp", "StructDRAW with 3x3 convolutions for MLPs", interaction="none", prior_components=1),
    )


def _eight_steps(base: Recipe) -> Recipe:
    """Table 3: GNM-8."""
    return _turned(base, "8steps", "8 drawing steps", draw_steps=8)


def _with_beta(base: Recipe, beta: int, steps: int) -> Recipe:
    """Figure 4: all KLs of the ELBO times beta.

    While the symbols are fixed the loss is nothing but these KLs, and a common factor changes nothing. So a beta acts
    where everything learns together: here, in further steps from the trained model's weights. Beta 1 is the control.
    Every seed goes on from the same weights, so seeds differ by the further steps alone.
    """
    joint = joint_phase(steps, constant(1.0))
    weights = joint.weights | {"beta_global": constant(float(beta)), "beta_conditional": constant(float(beta))}
    phases, about = (replace(joint, weights=weights),), f"trained on with the KLs of the ELBO times {beta}"
    return _variant(base, f"beta{beta}", about, phases=phases, start=base.name)


def _at_price(base: Recipe, beta_global: int, steps: int) -> Recipe:
    """The prior stage gone on with at one beta_g: which facts stay in z_g at that price?

    Symbols stand still, and each of their KLs weighs 1, so that the price alone decides.
    """
    phase = prior_phase(steps, constant(float(beta_global)))
    weights = {name: value for name, value in phase.weights.items() if name not in ("beta_where", "beta_presence")}
    phases, about = (replace(phase, weights=weights),), f"its prior trained on with beta_g at {beta_global}"
    changes = {"phases": phases, "start": base.name, "metrics": ("structure", "recall")}
    return _variant(base, f"window{beta_global}", about, **changes)


def _from_few(base: Recipe, scenes: int) -> Recipe:
    """The same training, on a training set of that size."""
    data = replace(base.data, scenes=scenes)
    return _variant(base, f"{scenes}scenes", f"from {scenes:,} scenes, over and over", data=data)


MNIST4_10_8STEPS = _eight_steps(MNIST4_10)

EXPERIMENTS = (
    *_ablations(MNIST4),
    _turned(MNIST4, "single", "one Gaussian in the prior of each step", prior_components=1),
    _eight_steps(MNIST4),
    *(_with_beta(MNIST4, beta, 6000) for beta in (1, 2, 3)),
    *_ablations(MNIST10),
    *(_with_beta(MNIST10, beta, 10_000) for beta in (1, 2, 3)),
    MNIST4_10,
    MNIST4_10_8STEPS,
    *(_with_beta(base, beta, 10_000) for base in (MNIST4_10, MNIST4_10_8STEPS) for beta in (1, 2)),
    *(_at_price(MNIST10, beta, 8000) for beta in WINDOW),
    *(_from_few(MNIST4, scenes) for scenes in SCENES),
)
