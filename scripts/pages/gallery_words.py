"""The words of the failure gallery: what goes wrong, what is seen, what helps."""

from typing import NamedTuple


class Failure(NamedTuple):
    """One entry of the gallery; the recipes are failure-KEY and cure-KEY, and those of the controls."""

    key: str
    title: str
    terms: tuple[str, ...]
    """Loss terms whose sum is the symptom's curve."""
    axis: str
    """What the curve is."""
    happens: str
    """What goes wrong, and why."""
    symptom: str
    """What to look for."""
    cure: str
    """What differs in the cured recipe."""
    alt: str
    """What the picture shows, for those who cannot see it."""
    grows: bool = False
    """Is the symptom's curve the higher one where the run fails?"""
    controls: tuple[tuple[str, str], ...] = ()
    """Runs that one thing tells from either: names of their records, and what the table calls them."""


SCENES = (
    Failure(
        "digits4-presence",
        "Presence collapse",
        ("aux_what", "aux_where"),
        "nats in boxes and looks",
        "At the start no glimpse looks like a digit, so an object gains nothing by being there. If the prior makes "
        "it dear from the first step (`presence` 0.001), the quickest gain is to switch all objects off. Then "
        "nothing is drawn, the decoder gets no gradient, and it stays so.",
        "The KLs of boxes and looks fall to zero within two hundred steps, and the likelihood stops at a black "
        "canvas's. No object is found.",
        "Let objects cost nothing at first: `presence` 0.5, and down to 0.001 once they draw digits. They go out all "
        "the same, and pay 11 nats to be absent, because what they draw is worse than black. But by step 400 they are "
        "back: wait that long before you call it a collapse. It helps that their glimpses start dark "
        "(`decoder_bias=-2`): with glimpses that start grey (0) they stay out. Or let more of them be there at the "
        "start (`presence_start` 0.25): then they come back even at the dear price.",
        "Left, two curves: nats spent on boxes and looks fall to zero in the failed run and rise in the cured one. "
        "Right, scenes, the failed model's black reconstructions, the cured one's four boxes with soft strokes.",
        controls=(
            ("control-digits4-presence-start", "dear, but there at the start"),
            ("control-digits4-presence-grey", "cured, but grey at the start"),
        ),
    ),
    Failure(
        "digits4-global",
        "Posterior collapse of the global code",
        ("kl_global",),
        "nats in the global code",
        "The global code can only save nats once the symbols' prior has learned to read it. Until then it is a cost "
        "without use. If it costs five times what it saves, from the first step to the last (`beta_global` 5), the "
        "posterior moves to the prior, and the prior of the symbols learns to do without it.",
        "The KL of the global code falls to almost nothing in a few hundred steps and stays low. Reconstructions are "
        "fine: the failure shows in samples only.",
        "Let the code be nearly free at first (`beta_global` 0.03), and raise its price when the symbols use it, to "
        "1 and no further. The end matters more than the beginning: a price of 1 from the first step fills the "
        "code too, only later, and one that rises from 0.03 to 5 empties it again.",
        "Left, two curves: the nats in the global code stay low in the failed run; in the cured run they are many "
        "while the code is cheap and settle well above. Right, scenes and reconstructions: both are good.",
        controls=(
            ("control-digits4-global-one", "a price of 1 throughout"),
            ("control-digits4-global-dear", "nearly free at first, then 5"),
        ),
    ),
    Failure(
        "digits4-grey",
        "Grey boxes",
        ("aux_what",),
        "nats in looks",
        "The likelihood's standard deviation says how much an error matters. On a small canvas a digit has few "
        "pixels, so the same number is worth fewer nats than on a large one. If it is far too wide (`sigma` 0.5), "
        "what a digit looks like is not worth saying, and a smudge does for all of them.",
        "The KL of the looks stays low while boxes are drawn, and they hold soft smears, some cut off by the box.",
        "A narrower likelihood: here 0.1. The paper's 0.2, chosen for 128 pixels, does not fail in this world, nor "
        "does 0.3; they only say less of a look.",
        "Left, two curves: nats spent on looks stay low in the failed run and rise in the cured one. Right, scenes, "
        "the failed model's grey smudges, the cured one's digits with boxes.",
        controls=(("control-digits4-grey-paper", "`sigma` 0.2"), ("control-digits4-grey-wide", "`sigma` 0.3")),
    ),
    Failure(
        "digits4-background",
        "The background eats the objects",
        ("aux_what",),
        "nats in looks",
        "Behind these digits is a shaded wall, and the model has a background picture to draw it with. That picture "
        "is opaque from the first step, while an object begins as clear as glass. So the background learns first, "
        "and it learns to draw blurred digits too. What an object could still add is worth less than its presence "
        "costs. Objects go out, and one that is absent gets hardly any gradient, so it stays out. It is a race: from "
        "the first weights of `--seed 1` the background wins it too, from those of `--seed 2` the objects do.",
        "The nats in looks fall to nothing in a few hundred steps. Meanwhile the likelihood rises and the loss falls: "
        "neither tells. Reconstructions have soft blots where digits are, and no box.",
        "For the first two hundred steps let the background count for a tenth of every pixel "
        '(`curriculum="image"` with `mask_fill` 1), and let it in over two hundred more: then the digits are taken. '
        'Masks that are filled for as long (`curriculum="box"`, the paper\'s way) did not save them from this seed; in '
        "the smaller world of {doc}`chapter 4 </notebooks/04_gnm>`, and with a dear $z_b$ besides, they do.",
        "Left, two curves: nats spent on looks fall to zero in the failed run and stay high in the cured one. Right, "
        "scenes on grey walls, the failed model's walls with soft blots and no box, the cured one's digits with boxes.",
        controls=(
            ("failure-digits4-background-seed1", "as the failed one, `--seed 1`"),
            ("failure-digits4-background-seed2", "as the failed one, `--seed 2`"),
            ("control-digits4-background-masks", "filled masks instead"),
        ),
    ),
)

STROKES = (
    Failure(
        "digits-stop",
        "Stop collapse",
        ("parts",),
        "strokes a drawing, in training",
        "The first strokes miss the digit, so a stroke costs more than it gains. If strokes are dear (`price` 40 "
        "nats) and the stop is learned from the first step, the best place to stop is before the first stroke. A "
        "stroke that is not drawn has no share in the loss, so it learns nothing, and it stays so.",
        "Strokes a drawing fall to zero within two hundred steps, and the relative L1 stays at 1, a blank page's. "
        "The log likelihood still rises, because its scale narrows: it alone hides the failure.",
        "Warm up: for the first 500 steps let every stop count the same (`any_time` 1), so that every stroke has to "
        "learn to draw. Then learn where to stop, at the same price.",
        "Left, two curves: strokes a drawing fall to zero in the failed run and rise above one in the cured one. "
        "Right, digits, the failed model's blank pages, the cured one's digits with one or two strokes drawn over.",
    ),
    Failure(
        "digits-always",
        "Always all strokes",
        ("parts",),
        "strokes a drawing, in training",
        "NVIL tries one place to stop and learns from how it went. While strokes are still poor, one more of them "
        "saves many nats. If KLs weigh as in the ELBO (`beta` 1), all four are soon taken with near certainty, and a "
        "coin that is sure gets almost no gradient. The exact ELBO, which tries all stops, ends there too "
        "({doc}`chapter 8 </notebooks/08_dood>`).",
        "When the stop begins to learn, at step 500, strokes a drawing jump to the most there are, for every digit, "
        "and stay there. The reconstruction does not show it: it is as good as the cured one's. Look at the strokes: "
        "the late ones are short dabs on top of the others, and a 1 takes as many as an 8.",
        'Sum the stop out of the bound (`stop="summed"`). Then all places to stop are weighed at '
        "each step, and a stroke that saves less than it costs is left out. A price of 10 nats a stroke comes with "
        "this switch here, and does the rest: without it one drawing in six still takes all four.",
        "Left, two curves: strokes a drawing jump to four at step 500 in the failed run and stay below two in the "
        "cured one. Right, digits and reconstructions, good in both; four strokes drawn over each of the failed "
        "model's, one or two over the cured one's.",
        grows=True,
        controls=(
            ("control-digits-always-exact", "the exact ELBO"),
            ("control-digits-always-free", "summed, without a price"),
        ),
    ),
    Failure(
        "digits-ink",
        "Ink blow-up",
        ("error",),
        "relative L1, in training",
        "Here strokes are laid over each other by a sum and a tanh, as in the paper: `tanh(sum / slope)`. The slope "
        "says how much ink is full ink. If it is small (`ink_slope` 0.02), the faint edge of a stroke is full ink "
        "too. A stroke then has a hard edge, however soft the pen. Inside it the tanh is flat, so most of its ink "
        "gives no gradient.",
        "The relative L1 falls slowly and stays high. Strokes are white bars with jagged edges: most of their pixels "
        "are full ink, and in the writing hardly any are. The pen grows thin to make up for it. So the amount of ink "
        "is about right, and its shape is not: the 4 is a blot.",
        "A slope that full ink does not overrun: 0.48, where the paper's code begins. Or lay strokes over each other "
        "by soft-or, which has no slope to choose.",
        "Left, two curves: the relative L1 falls in both runs, and ends much higher in the failed one. Right, "
        "digits, the failed model's white bars with jagged edges, the 4 a blot, the cured one's grey strokes with "
        "soft edges; the curves of the strokes are drawn over both.",
        grows=True,
    ),
)

INTRODUCTION = """# Failure gallery

A model that does not learn rarely says why. This page keeps failures that can be repeated: each is a recipe with a seed
that fails in a minute or two, and the same recipe with its cure, which does not. Learn their faces here, and you will
know them when you meet them.

The models are smaller than those of the chapters. There are failures of scenes and failures of strokes. Further rows of
a table are controls: each run differs in one thing from the failed or from the cured one.
"""
