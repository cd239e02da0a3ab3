"""The pictures of the page on GNM's experiments, and which runs stand in them.

Opaque cards like all figures of the book. Each file carries the fingerprint of the numbers that it shows.
"""

import hashlib
import io
import json

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurosym_lite import figures
from neurosym_lite.training.checkpoints import write_atomically
from neurosym_lite.training.experiment_recipes import SCENES
from scripts.pages.gnm_experiments import recipe_name
from scripts.pages.records import Record, middle, runs_of
from scripts.toc import ROOT

PICTURES = ROOT / "book" / "_static" / "gnm_experiments"
DPI = 130
FINGERPRINT = "Description"  # the PNG text field that holds it
RULE = "mnist4"

BETAS = {
    "GNM": {beta: f"gnm-beta{beta}-{RULE}-lite" for beta in (1, 2, 3)},
    "ConvDRAW": {1: f"convdraw-{RULE}-lite"} | {beta: f"convdraw-beta{beta}-{RULE}-lite" for beta in (5, 10)},
    "VAE": {1: f"vae-{RULE}-lite"} | {beta: f"vae-beta{beta}-{RULE}-lite" for beta in (5, 10)},
}
BETAS_TEN = {"GNM on MNIST-10": {beta: f"gnm-beta{beta}-mnist10-lite" for beta in (1, 2, 3)}}  # as in the paper
SETS = {scenes: f"gnm-{scenes}scenes-{RULE}-lite" for scenes in SCENES}
# a mark and a colour for each model, in all panels
SHOWN = ("GNM", "ConvDRAW", "VAE", "ConvDRAW-8", "GENESIS")
MARK_EVERY = 0.12  # of the axes' diagonal, along a line: it is told from others without its colour
STYLES = {model: (mark, colour) for model, mark, colour in zip(SHOWN, "osD^v", figures.PALETTE, strict=False)}


def points(by_x: dict[int, str], key: str, records: list[Record]) -> tuple[list[int], list[float]]:
    """Measured points of a line: x, and the mean over seeds of a metric."""
    pairs = [(x, middle(runs_of(name, records), key)) for x, name in by_x.items()]
    kept = [(x, value) for x, value in pairs if value is not None]
    return [x for x, _ in kept], [value for _, value in kept]


def _lines(axes: Axes, key: str, records: list[Record]) -> None:
    for model, by_beta in BETAS.items():
        mark, colour = STYLES[model]
        axes.plot(*points(by_beta, key, records), marker=mark, color=colour, label=model)
    axes.set(xlabel="beta", xticks=sorted({beta for by_beta in BETAS.values() for beta in by_beta}))


def figure_4(records: list[Record], controls: dict) -> Figure:
    """Structure accuracy and likelihood by beta, and the classifiers' curves."""
    figures.set_style()
    figure, axes = plt.subplot_mosaic([["structure", "likelihood"], ["steps", "steps"]], figsize=(7, 6))
    _lines(axes["structure"], "structure_accuracy", records)
    _lines(axes["likelihood"], "likelihood", records)
    axes["structure"].set(ylabel="structure accuracy", ylim=(-0.03, 1.03))
    axes["likelihood"].set(ylabel="likelihood bound, nats")
    axes["structure"].legend(frameon=False)
    below = axes["steps"]
    for model, (mark, colour) in STYLES.items():
        curve = controls["curves"].get(recipe_name(model, RULE))
        if curve:
            steps, accuracy = zip(*curve, strict=True)
            below.plot(steps, accuracy, color=colour, label=model, marker=mark, markevery=MARK_EVERY)
    real = controls["real"][RULE]["curve"]
    below.plot(*zip(*real, strict=True), color="0.5", linestyle=":", label="real scenes")
    below.set(xlabel="steps of the classifier", ylabel="its accuracy", xscale="log", ylim=(0.45, 1.02))
    below.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=6, fontsize=8, columnspacing=1)
    return figure


def has_scenes(records: list[Record]) -> bool:
    """Was the rule learned from a training set of finite size yet?"""
    return any(runs_of(name, records) for name in SETS.values())


def scenes(records: list[Record]) -> Figure:
    """Structure accuracy by size of the training set, with intervals; as bands the seeds without a fixed set."""
    figures.set_style()
    figure, axes = plt.subplots(figsize=(6, 3.4))
    full = runs_of(recipe_name("GNM", RULE), records)
    for kind, name, mark, style, colour in (
        ("structure", "ancestral", "o", "-", figures.BLUE), ("swept", "after two sweeps", "s", "--", figures.ORANGE),
    ):  # fmt: skip
        for size, stem in SETS.items():
            for run in runs_of(stem, records):
                value, *ends = (run["metrics"][f"{kind}_{what}"] for what in ("accuracy", "low", "high"))
                reach = [[abs(end - value)] for end in ends]
                axes.errorbar(size, value, reach, color=colour, marker=mark, capsize=3)
        axes.plot(*points(SETS, f"{kind}_accuracy", records), style, color=colour, marker=mark, label=name)
        seeds = [run["metrics"][f"{kind}_accuracy"] for run in full]
        axes.axhspan(min(seeds), max(seeds), color=colour, alpha=0.15, linewidth=0)
    axes.set(xlabel="training scenes (logarithmic)", ylabel="structure accuracy", xscale="log", ylim=(-0.03, 1.03))
    axes.set_xlim(min(SETS) / 1.5, max(SETS) * 1.5)
    axes.legend(frameon=False, loc="lower right")
    return figure


def figure(name: str, alt: str, folder: str = "_static/gnm_experiments") -> str:
    """A picture of the page."""
    return f"```{{figure}} {folder}/{name}.png\n:name: fig-gnm-{name}\n:alt: {alt}\n```\n"


def fingerprint(records: list[Record], controls: dict) -> str:
    """A short name for the numbers that the pictures show."""
    names = {name for line in (*BETAS.values(), SETS) for name in line.values()} | {recipe_name("GNM", RULE)}
    shown = [[r["recipe"], r["seed"], r["metrics"]] for r in records if r["recipe"] in names]
    return hashlib.sha256(json.dumps([shown, controls], sort_keys=True).encode()).hexdigest()[:16]


def draw(records: list[Record], controls: dict) -> None:
    """Save them as PNG, that of the training sets once one of its runs is there."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    drawn = {"figure_4": figure_4(records, controls)} | ({"scenes": scenes(records)} if has_scenes(records) else {})
    for name, figure in drawn.items():
        buffer = io.BytesIO()
        about = {"Software": None, FINGERPRINT: fingerprint(records, controls)}
        figure.savefig(buffer, format="png", dpi=DPI, metadata=about)
        plt.close(figure)
        write_atomically(PICTURES / f"{name}.png", buffer.getvalue())
