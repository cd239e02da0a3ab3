"""The page's section on what trainings of one model differ in: how much of a scene z_g says, and what that costs."""

import math
from statistics import correlation, mean, stdev

import numpy as np

from scripts.pages import gnm_experiments_words as words
from scripts.pages.cells import NOT_RUN, PLUS_MINUS, linked, measured
from scripts.pages.gnm_experiments import recipe_name, was_copied
from scripts.pages.gnm_experiments_pictures import RULE, SETS
from scripts.pages.markdown import number, table
from scripts.pages.records import Record, runs_of

LAST = 10  # entries of a record's curve that are averaged: its last thousand steps
CLEAR = 0.5  # size of a rank correlation that is worth a sentence


def section(records: list[Record], again: list[Record], controls: dict) -> str:
    """A table of all trainings with GNM's price on this rule, and what is related in it.

    `again` are runs of which `records` has another training, with the same recipe and seed on another machine.
    """
    runs = [run for name in names(controls) for run in runs_of(name, [*records, *again]) if run["curve"]]
    if len(runs) <= 2:
        return f"{words.SEEDS}\n{NOT_RUN}\n"
    runs.sort(key=spoken)
    body = [
        [f"`{r['recipe']}`", str(r["seed"]), words.CPU if on_cpu(r) else r["device"],
         *(linked(f"{late(r, key):.1f}", r) for key in ("kl_global", "kl_where")),
         measured(r, "structure_accuracy"), measured(r, "likelihood")]
        for r in runs
    ]  # fmt: skip
    header = ["run", "seed", "trained on", "KL of $z_g$", "KL of places", "S-Acc", "LL"]
    return f"{words.SEEDS}\n{table(header, body)}\n{related(runs)}\n{machines(runs, again)}"


def names(controls: dict) -> list[str]:
    """The recipes: GNM with one Gaussian or a mixture, more steps, finite sets that are not known to be copied."""
    copied = {name for name, near in controls["copied"].items() if was_copied(near)}
    return [*(recipe_name(row, RULE) for row in words.SAME_PRICE), *(n for n in SETS.values() if n not in copied)]


def late(run: Record, key: str) -> float:
    """A term of the loss, averaged over the end of the training."""
    return mean(entry[key] for entry in run["curve"][-LAST:])


def spoken(run: Record) -> float:
    """Nats that z_g costs at the end of the training."""
    return late(run, "kl_global")


def structure(run: Record) -> float:
    """Structure accuracy."""
    return run["metrics"]["structure_accuracy"]


def rank_correlation(first: list[float], second: list[float]) -> float:
    """Spearman's; NaN where a value is none, or all of one side are the same."""
    if any(map(math.isnan, (*first, *second))) or 1 in (len(set(first)), len(set(second))):
        return math.nan
    return correlation(*([sorted(values).index(value) for value in values] for values in (first, second)))


def related(runs: list[Record]) -> str:
    """What more nats in z_g go with, by rank correlations."""
    nats = [spoken(run) for run in runs]
    found = {
        about: rank_correlation(nats, [value(run) for run in runs])
        for about, value in (
            (words.PLACES, lambda run: late(run, "kl_where")),
            (words.STRUCTURE, structure),
            (words.LIKELIHOOD, lambda run: run["metrics"]["likelihood"]),
        )
    }
    said = ", ".join(f"{about} {value:+.2f}" for about, value in found.items())
    text = [words.RELATED.format(runs=len(runs), said=said)]
    if found[words.STRUCTURE] < -CLEAR:
        slope, spread = np.polyfit(nats, [late(run, "kl_where") for run in runs], 1, cov=True)
        text.append(words.SPEAKS_MORE.format(saved=f"{-slope[0]:.1f} ± {math.sqrt(spread[0, 0]):.1f}"))
    return f"{' '.join(text)}\n"


def machines(runs: list[Record], again: list[Record]) -> str:
    """What was trained on both machines: do they differ by more than seeds do? Nothing where fewer than two were."""
    both = {(run["recipe"], run["seed"]) for run in again}
    pairs = [run for run in runs if (run["recipe"], run["seed"]) in both]
    if len(both) < 2:
        return ""
    said, alike = [], True
    for about, value in ((words.STRUCTURE, structure), (words.SPOKEN, spoken)):
        cpu, gpu = ([value(run) for run in pairs if on_cpu(run) is here] for here in (True, False))
        reach = math.hypot(stdev(cpu), stdev(gpu)) / math.sqrt(len(both))  # of the difference of two means
        alike = alike and abs(mean(cpu) - mean(gpu)) <= 2 * reach
        sides = (f"{number(mean(side), 3)}{PLUS_MINUS}{number(stdev(side), 2)}" for side in (cpu, gpu))
        said.append(words.SIDES.format(about, *sides))
    return f"{words.MACHINES.format(many=len(both), said=', '.join(said))} {words.ALIKE if alike else words.UNLIKE}\n"


def on_cpu(run: Record) -> bool:
    """Was it trained on a processor?"""
    return run["device"].startswith("cpu")
