"""Writes book/training.md: `python -m scripts.pages.training_page`. Counts and estimates come from `scaling`."""

from neurosym_lite.training.recipes import get_recipe
from scripts.pages import scaling
from scripts.pages.markdown import table, write_page
from scripts.pages.scaling import counts, estimate
from scripts.pages.training_words import BELOW, TOP
from scripts.toc import ROOT

PAGE = ROOT / "book" / "training.md"
RECIPES = ("gnm-mnist4", "dood-mnist")
GPUS = (1, 8, 64)
COLUMNS = ["recipe", "GPUs", "joint batch", "ms a step", "images a second", "times one GPU, eager", "sending"]
THOUSAND, MILLION = 1e3, 1e6


def rounded(value: float) -> str:
    """Two significant digits: an estimate has no more."""
    return f"{float(f'{value:.2g}'):,.12g}"


def operations_sentence() -> str:
    """How many operations a step is."""
    said = [f"about {rounded(counts(name).operations)} for `{name}`" for name in RECIPES]
    return f"A step is a long list of operations, {' and '.join(said)}, most of them tiny."


def assumptions() -> str:
    """What the estimate takes for granted."""
    return (
        f"{scaling.LAUNCH * MILLION:g} microseconds to launch an operation, {scaling.REPLAY * MILLION:g} in a graph; "
        f"{scaling.ARITHMETIC / 1e12:g} TFLOP/s; {scaling.NODE} GPUs a machine; {scaling.INSIDE / 1e9:g} GB/s inside a "
        f"machine and {scaling.BETWEEN / 1e9:g} between machines; a message takes at least "
        f"{scaling.HOP_INSIDE * MILLION:g} microseconds inside a machine and {scaling.HOP_BETWEEN * MILLION:g} between"
    )


def rows() -> list[list[str]]:
    """One GPU eagerly and by a graph; then more of them, with the recipe's batch and with one that grows."""
    found = []
    for name in RECIPES:
        batch, single = get_recipe(name).phases[0].batch, None
        cases = [(1, batch, False), (1, batch, True)]
        cases += [(gpus, joint, False) for gpus in GPUS[1:] for joint in (batch, gpus * batch)]
        for gpus, joint, graph in cases:
            step = estimate(counts(name), gpus, joint, graph)
            single = single or step
            found.append([
                f"`{name}`", f"{gpus}{', graph' if graph else ''}", f"{joint:,}", rounded(THOUSAND * step.seconds),
                rounded(step.images), rounded(step.images / single.images), f"{step.sending:.0%}",
            ])  # fmt: skip
    return found


def page() -> str:
    """The page's text."""
    top = TOP.replace("OPERATIONS", operations_sentence()).replace("ASSUMPTIONS", assumptions())
    return top + table(COLUMNS, rows()).rstrip() + "\n" + BELOW


if __name__ == "__main__":
    write_page(PAGE, page())
