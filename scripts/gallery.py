"""Writes book/failure_gallery.md and its pictures from the run records and checkpoints of the failure recipes.

Each failure is a recipe that fails and the same recipe cured, trained by the ordinary command. The page shows what one
would see while it happens (a curve of the loss), what comes out (held-out scenes with boxes), and what helps.
`python -m scripts.gallery` rewrites the page and the pictures; it trains nothing.
"""

from typing import NamedTuple

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Generator, nn

from neurosym_lite import figures
from neurosym_lite.data.scenes import SceneSource
from neurosym_lite.training.checkpoints import load_checkpoint
from neurosym_lite.training.records import load_record
from scripts.pages import ROOT

PAGE = ROOT / "book" / "failure_gallery.md"
PICTURES = ROOT / "book" / "_static" / "gallery"
SHOWN = 3  # scenes a model
SEED = 3  # of the scenes shown


class Failure(NamedTuple):
    """One entry of the gallery; the recipes are failure-KEY and cure-KEY."""

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


FAILURES = (
    Failure(
        "digits4-presence",
        "Presence collapse",
        ("aux_what", "aux_where"),
        "nats in boxes and looks",
        "At the start no glimpse looks like a digit, so an object gains nothing by being there. If the prior makes it "
        "dear from the first step (`presence` 0.001), the quickest gain is to switch all objects off. Then nothing is "
        "drawn, the decoder gets no gradient, and it stays so.",
        "The KLs of boxes and looks fall to zero within two hundred steps, and the likelihood stops at a black "
        "canvas's. No object is found.",
        "Let objects cost nothing at first: `presence` 0.5, and down to 0.001 once they draw digits. It also helps to "
        "start present (`presence_start`) and dark (`decoder_bias=-2`): a grey box on black costs likelihood.",
        "Left, two curves: nats spent on boxes and looks stay at zero in the failed run and rise in the cured one. "
        "Right, scenes, the failed model's black reconstructions, the cured one's four boxes with soft strokes.",
    ),
    Failure(
        "digits4-global",
        "Posterior collapse of the global code",
        ("kl_global",),
        "nats in the global code",
        "The global code can only save nats once the symbols' prior has learned to read it. Until then it is a cost "
        "without use. If it is dear from the first step (`beta_global` 5), the posterior moves to the prior, and the "
        "prior of the symbols learns to do without it.",
        "The KL of the global code falls to almost nothing in a few hundred steps and stays low. Reconstructions are "
        "fine: the failure shows in samples only.",
        "Let the code be nearly free at first (`beta_global` 0.03), and raise its price when the symbols use it.",
        "Left, two curves: the nats in the global code stay low in the failed run; in the cured run they are many "
        "while the code is cheap and settle well above. Right, scenes and reconstructions: both are good.",
    ),
    Failure(
        "digits4-grey",
        "Grey boxes",
        ("aux_what",),
        "nats in looks",
        "The likelihood's standard deviation says how much an error matters. It was chosen for 128 pixels; on a "
        "smaller canvas a digit has fewer pixels, so the same number is worth fewer nats. If it is wide, what a digit "
        "looks like is not worth saying, and a smudge does for all of them.",
        "The KL of the looks stays low while boxes are drawn, and they hold soft smears, some cut off by the box.",
        "Make the likelihood as narrow as the canvas is small: 0.2 at 128 pixels is 0.1 at 64.",
        "Left, two curves: nats spent on looks stay low in the failed run and rise in the cured one. Right, scenes, "
        "the failed model's grey smudges, the cured one's digits with boxes.",
    ),
)


def curve(name: str, terms: tuple[str, ...]) -> tuple[list[int], list[float]]:
    """Steps and the sum of the terms, from a run record."""
    points = load_record(name).curve
    return [point["step"] for point in points], [sum(point[term] for term in terms) for point in points]


def picture(failure: Failure) -> Figure:
    """The symptom's curve, and held-out scenes as the failed and the cured model see them."""
    figure = plt.figure(figsize=(9.5, 3.9))
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.15))
    axes = left.subplots()
    for kind, colour, style in (("failure", figures.ORANGE, "--"), ("cure", figures.BLUE, "-")):
        steps, values = curve(f"{kind}-{failure.key}", failure.terms)
        axes.plot(steps, values, color=colour, linestyle=style, marker="o" if style == "-" else "s", markersize=4)
        axes.annotate({"failure": "failed", "cure": "cured"}[kind], (steps[-1], values[-1]), xytext=(-4, 6),
                      textcoords="offset points", ha="right", color=colour)  # fmt: skip
    axes.set(xlabel="step", ylabel=failure.axis, ylim=(0, None))
    rows = right.subplots(3, SHOWN)
    models = {kind: load_checkpoint(f"{kind}-{failure.key}") for kind in ("failure", "cure")}
    data = models["cure"][1].data
    source = SceneSource(data.rule, data.glyphs, "test", data.size, backdrop=data.backdrop)
    images = source.batch(SHOWN, Generator().manual_seed(SEED)).images.float() / 255
    for column in range(SHOWN):
        figures.show_image(rows[0, column], images[column])
    for row, (kind, (model, _)) in zip(rows[1:], models.items(), strict=True):
        show_reconstructions(row, model, images)
        row[0].set_ylabel({"failure": "failed", "cure": "cured"}[kind], fontsize=10)
    rows[0, 0].set_ylabel("scene", fontsize=10)
    return figure


@torch.no_grad()
def show_reconstructions(row: list[plt.Axes], model: nn.Module, images: torch.Tensor) -> None:
    """What a model makes of scenes, with boxes around what it says is there."""
    found, _, drawn = model.detect(images)
    for axes, image, corners, present in zip(row, drawn, found.corners, found.present, strict=True):
        figures.show_image(axes, image)
        figures.draw_boxes(axes, corners[present], width=1.0)


def entry(failure: Failure) -> str:
    """The page's section on a failure."""
    records = {kind: load_record(f"{kind}-{failure.key}") for kind in ("failure", "cure")}
    rows = [
        f"| {kind} | {record.metrics['count_mean']:.2f} | {record.metrics['mse']:.4f} | "
        f"{curve(record.recipe, failure.terms)[1][-1]:.1f} | {record.minutes:.1f} |"
        for kind, record in zip(("failed", "cured"), records.values(), strict=True)
    ]
    return f"""## {failure.title}

{failure.happens}

**What you see.** {failure.symptom}

```{{figure}} _static/gallery/{failure.key}.png
:alt: {failure.alt}

`failure-{failure.key}` and `cure-{failure.key}`: the symptom while it happens, and what comes out of it.
```

| run | objects found (4 are there) | squared error | {failure.axis}, at the end | CPU minutes |
| --- | --- | --- | --- | --- |
{chr(10).join(rows)}

**What helps.** {failure.cure}

```bash
python -m neurosym_lite train failure-{failure.key}
python -m neurosym_lite train cure-{failure.key}
```
"""


INTRODUCTION = """# Failure gallery

A model that does not learn rarely says why. This page keeps failures that can be repeated: each is a recipe with a seed
that fails in a minute or two, and the same recipe with one thing changed that does not. Learn their faces here, and you
will know them when you meet them.

The models are smaller than those of the chapters, and the scenes are MNIST-4's with the embedded handwriting.
"""


def page() -> str:
    """The page's text."""
    return "\n".join([INTRODUCTION, *(entry(failure) for failure in FAILURES)])


def main() -> None:
    """Write the page and the pictures."""
    figures.set_style()
    PICTURES.mkdir(parents=True, exist_ok=True)
    for failure in FAILURES:
        drawn = picture(failure)
        drawn.savefig(PICTURES / f"{failure.key}.png", dpi=130)
        plt.close(drawn)
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
