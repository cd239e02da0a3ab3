"""GNM's recipes: the first one of chapters 1 and 2, the full model at 64 x 64, and its ablations."""

from dataclasses import replace

from neurosym_lite.models.gnm_config import GNMConfig
from neurosym_lite.training.recipe import Phase, Recipe, SceneData
from neurosym_lite.training.schedules import Schedule, constant, linear, warm_cosine

METRICS = ("detection", "reconstruction", "structure", "sweeps")
# of what stands in the tables of chapter 5
MEASURED = (*METRICS, "second", "recall", "frechet", "d_steps", "likelihood", "relaxed")

# What finds objects in 64 x 64 scenes: every cell may draw at first, then presence costs more and more.
FINDING = {
    "temperature": linear(300, 3000, 1.0, 0.5),
    "presence": Schedule(((500, 0.5), (3000, 0.01)), "log"),
}
FOUND = {"temperature": constant(0.5), "presence": constant(0.01)}

# The symbols settle before z_g has to predict them, and z_g is nearly free at first: with its full price from the
# start it stays empty (its KL goes to zero within a few hundred steps).
SYMBOL_SCHEDULES = FINDING | {
    "beta_conditional": linear(1000, 2500, 0.0, 1.0),
    "beta_global": Schedule(((2500, 0.03), (4500, 1.0)), "log"),
}


def data_name(rule: str, glyphs: str) -> str:
    """The rule's name as recipes have it: digits4 for mnist4 with the embedded digits."""
    return f"{'digits' if glyphs == 'digits' else 'mnist'}{rule.removeprefix('mnist')}"


FIRST_GNM = Recipe(
    name="gnm-gaussian-digits4-lite",
    about="GNM with a Gaussian global prior on mnist4 scenes of digits handwriting",
    model=GNMConfig(),
    data=SceneData("mnist4", "digits"),
    phases=(Phase(steps=5000, learning_rate=warm_cosine(5000, 1e-3, 1e-4), weights=SYMBOL_SCHEDULES),),
    ema=0.999,
    metrics=METRICS,
)

# The full GNM at 64 x 64, in three stages. First the symbols alone, by reconstruction. Then the prior over scenes, on
# symbols that stand still: z_g is nearly free at first, so that all it could say enters it; then beta_g rises over 1,
# so that what the symbols share is said once and not symbol by symbol; then it relaxes. Last everything together.
STRUCT_LITE = GNMConfig(prior="struct", latent=16, embed="transformer", prior_components=16, out_kernel=1)
SYMBOL_PARTS = ("encoder", "posterior_heads", "glimpse_encoder", "glimpse_decoder")
PRIOR_PARTS = ("globals", "prior_heads")


def at_fractions(steps: int, *points: tuple[float, float]) -> Schedule:
    """A line through points given as fractions of a phase's steps."""
    return Schedule(tuple((round(fraction * steps), value) for fraction, value in points))


def _symbol_phase(steps: int) -> Phase:
    return Phase(
        steps=steps,
        learning_rate=warm_cosine(steps, 1e-3, 1e-4),
        weights=FINDING,
        train=SYMBOL_PARTS,
        objective="symbol_loss",
    )


def prior_phase(steps: int, beta_global: Schedule) -> Phase:
    """The second stage: z_g and the heads that read symbols from it, on a bank of symbols that stand still."""
    return Phase(
        steps=steps,
        learning_rate=warm_cosine(steps, 1e-3, 3e-5),
        weights=FOUND
        | {
            "beta_global": beta_global,
            "beta_where": at_fractions(steps, (0.0, 0.2), (0.2, 1.0)),
            "beta_presence": constant(3.0),
        },
        clip=20.0,
        train=PRIOR_PARTS,
        objective="prior_loss",
        bank=49_152,
    )


def joint_phase(steps: int, beta_global: Schedule) -> Phase:
    """The last stage: everything together, on fresh scenes."""
    return Phase(
        steps=steps,
        learning_rate=warm_cosine(steps, 5e-4, 1e-5),
        weights=FOUND | {"beta_global": beta_global, "beta_presence": constant(3.0)},
    )


def staged(symbols: int, prior: int, joint: int, peak: float, end: float) -> tuple[Phase, ...]:
    """The stages, in steps (joint may be 0); `peak` is the largest beta_g and `end` the prior stage's last."""
    rise = at_fractions(prior, (0.15, 0.03), (0.3, peak), (0.7, peak), (0.95, end))
    first = (_symbol_phase(symbols), prior_phase(prior, rise))
    return (*first, joint_phase(joint, at_fractions(joint, (0.3, end), (0.8, min(end, 1.1))))) if joint else first


def _lite(rule: str, glyphs: str, phases: tuple[Phase, ...], model: GNMConfig = STRUCT_LITE) -> Recipe:
    return Recipe(
        name=f"gnm-{data_name(rule, glyphs)}-lite",
        about=f"the full GNM on {rule} scenes of {glyphs} handwriting",
        model=model,
        data=SceneData(rule, glyphs),
        phases=phases,
        ema=0.999,
        metrics=METRICS if glyphs == "digits" else (*MEASURED, "what"),
    )


LITE = (
    _lite("mnist4", "digits", staged(9000, 22_000, 2000, peak=2.5, end=1.2)),
    _lite("mnist4", "mnist", staged(9000, 22_000, 2000, peak=2.5, end=1.2)),
    # which of three digits stands where in a quadrant enters z_g only while beta_g < 1.84; below 1 style fills the code
    _lite("mnist10", "mnist", staged(26_000, 80_000, 0, peak=1.35, end=1.05), replace(STRUCT_LITE, hidden=(256, 256))),
)

# The paper's own way at the size of the lite model: appearance from the cell's features, one pair of heads for q and
# p, features of the image into z_g, one Gaussian a step, all at once, beta_g from 0 to 1 over the first 9 %.
_PAPER_WAY_STEPS = 26_000
PAPER_WAY = Recipe(
    name="gnm-mnist4-lite-paper",
    about="the lite model trained as the paper trains, for comparison with gnm-mnist4-lite",
    model=replace(
        STRUCT_LITE, what_from="cell", share_heads=True, global_from="features", gate_conditional=False,
        prior_components=1, out_kernel=3,
    ),
    data=SceneData("mnist4", "mnist"),
    phases=(
        Phase(
            steps=_PAPER_WAY_STEPS,
            learning_rate=warm_cosine(_PAPER_WAY_STEPS, 1e-3, 1e-4),
            weights=FINDING | {"beta_global": at_fractions(_PAPER_WAY_STEPS, (0.0, 0.0), (0.09, 1.0))},
        ),
    ),
    ema=0.999,
    metrics=METRICS,
)  # fmt: skip


# A quarter-hour version of gnm-digits4-lite, and the same with one switch turned each.
SHORT = replace(
    LITE[0],
    name="gnm-digits4-short",
    about="gnm-digits4-lite in a quarter of an hour, to turn switches on",
    phases=staged(3500, 7000, 1000, peak=2.5, end=1.2),
)


def _turned(switch: str, about: str, phases: tuple[Phase, ...] = SHORT.phases, **model: object) -> Recipe:
    """SHORT with other phases, or with other switches of its model."""
    return replace(
        SHORT, name=f"{SHORT.name}-{switch}", about=about, model=replace(SHORT.model, **model), phases=phases
    )


def _with_schedules(phase: Phase, **schedules: Schedule | None) -> Phase:
    """A phase with other schedules of the weights; None leaves a weight at its default."""
    weights = phase.weights | schedules
    return replace(phase, weights={name: value for name, value in weights.items() if value is not None})


def _at_once(steps: int, **weights: Schedule) -> Phase:
    """Everything in one stage; `weights` are schedules beside those that the stages have in common with it."""
    beta_global = at_fractions(steps, (0.4, 0.03), (0.5, 2.5), (0.75, 2.5), (0.95, 1.2))
    beta_conditional = at_fractions(steps, (0.2, 0.0), (0.3, 1.0))
    return Phase(
        steps=steps,
        learning_rate=warm_cosine(steps, 1e-3, 3e-5),
        weights=FINDING
        | {"beta_conditional": beta_conditional, "beta_global": beta_global, "beta_presence": constant(3.0)}
        | weights,
    )


def _ablations() -> tuple[Recipe, ...]:
    symbols, prior, joint = SHORT.phases
    warm_up = _with_schedules(prior, beta_global=at_fractions(prior.steps, (0.0, 0.0), (0.4, 1.0)))
    plain = tuple(_with_schedules(phase, beta_where=None, beta_presence=None) for phase in (prior, joint))
    from_cell = replace(symbols, train=("encoder", "posterior_heads", "glimpse_decoder"))
    all_steps = symbols.steps + joint.steps + prior.steps // 2  # a step of everything costs two of the prior's
    return (
        _turned(
            "none", "StructDRAW without an interaction layer (GNM-NoMLP)", interaction="none", prior_components=1
        ),
        _turned("gaussian", "one Gaussian z_g instead of StructDRAW", prior="gaussian", latent=64),
        _turned("single", "one Gaussian a step in the prior (the paper's) instead of 16", prior_components=1),
        _turned("linear", "StructDRAW reads its input by a linear layer", embed="linear"),
        _turned(
            "cell", "z_what from the cell's features (the paper's) instead of a glimpse", (from_cell, prior, joint),
            what_from="cell",
        ),
        _turned("ungated", "absent cells pay all conditional KLs (the paper's)", gate_conditional=False),
        _turned(
            "warmup", "beta_g from 0 to 1 (the paper's) instead of nearly 0, 2.5, 1.2",
            (symbols, warm_up, _with_schedules(joint, beta_global=constant(1.0))),
        ),
        _turned("unweighted", "all conditional KLs weigh 1 (the paper's)", (symbols, *plain)),
        _turned("unstaged", "everything at once (the paper's) instead of in three stages", (_at_once(all_steps),)),
        _turned(
            "unstaged-where", "everything at once, and places at a fifth of their price until z_g becomes dear",
            (_at_once(all_steps, beta_where=at_fractions(all_steps, (0.3, 0.2), (0.45, 1.0))),),
        ),
    )  # fmt: skip


ABLATIONS = (SHORT, *_ablations())

FULL_GNM = (*LITE, *ABLATIONS, PAPER_WAY)
