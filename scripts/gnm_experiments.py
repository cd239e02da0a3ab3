"""What GNM's experiments measured, read from the run records: one cell a model and measure, each linked to its record.

Everything here is a function of records, so that the page's words (`gnm_experiments_words.py`) hold no number of ours.
"""

from collections.abc import Callable
from statistics import mean, stdev

from scripts.results_page import NOT_RUN, Record, number

# rows of the papers' tables -> the model part of our recipes' names, and rows of our own
STEMS = {
    "GNM": "gnm",
    "GNM-Struct": "gnm",
    "GNM-Gaussian": "gnm-gaussian",
    "GNM-NoMLP": "gnm-nomlp",
    "GNM-8": "gnm-8steps",
    "GNM-single": "gnm-single",
    "GNM-beta-1": "gnm-beta1",
    "GNM-8-beta-1": "gnm-8steps-beta1",
    "GNM-beta-2": "gnm-beta2",
    "GNM-8-beta-2": "gnm-8steps-beta2",
    "GENESIS": "genesis",
    "ConvDRAW": "convdraw",
    "ConvDRAW-8": "convdraw-8steps",
    "ConvDRAW-MLP": "convdraw-mlp",
    "ConvDRAW-beta-10": "convdraw-beta10",
    "ConvDRAW-8-beta-10": "convdraw-8steps-beta10",
    "VAE": "vae",
}
RULES = {"mnist_4": "mnist4", "mnist_10": "mnist10", "mnist_4_10": "mnist4-10"}
LITE = "-lite"  # of the recipes that the tables show; those without it are the paper's size

Cell = Callable[[Record], str]


def recipe_name(row: str, rule: str, size: str = LITE) -> str:
    """The recipe that stands for a row of a table."""
    return f"{STEMS[row]}-{rule}{size}"


def runs_of(name: str, records: list[Record]) -> list[Record]:
    """All seeds of a recipe that have been measured, the first seed first."""
    return sorted((r for r in records if r["recipe"] == name and r["metrics"]), key=lambda r: r["seed"])


def linked(text: str, record: Record) -> str:
    """A number that leads to the record it is from."""
    return f"[{text}](../data/results/{record['file']})"


def share(record: Record) -> str:
    """Structure accuracy with its interval."""
    return accepted(record["metrics"], record)


def accepted(metrics: dict[str, float], record: Record) -> str:
    """The share that a parser accepts, with its interval."""
    middle, low, high = (f"{metrics[f'structure_{name}']:.3f}" for name in ("accuracy", "low", "high"))
    return f"{linked(middle, record)} ({low} to {high})"


def steps(runs: list[Record]) -> str:
    """D-Steps with the range over classifiers; of several seeds all medians. What reached the cap is at least that."""
    having = [run for run in runs if "d_steps" in run["metrics"]]
    if len(having) > 1:
        return ", ".join(linked(at_least("d_steps", run), run) for run in having)
    if not having:
        return NOT_RUN
    low, high = (at_least(f"d_steps_{end}", having[0]) for end in ("low", "high"))
    return f"{linked(at_least('d_steps', having[0]), having[0])} ({low} to {high})"


def at_least(key: str, record: Record) -> str:
    """A number of steps, marked where it is the cap."""
    m = record["metrics"]
    return ("≥ " if m[key] == m["d_steps_cap"] else "") + number(m[key])


def bound(record: Record) -> str:
    """The importance-weighted bound with its standard error."""
    m = record["metrics"]
    return f"{linked(number(m['likelihood']), record)} ± {number(m['likelihood_error'], 2)}"


def relaxed(record: Record) -> str:
    """By how much relaxed presence makes the bound another, with its standard error."""
    m = record["metrics"]
    difference = f"{m['relaxed_difference']:+.2f}"
    return f"{linked(difference, record)} ± {m['relaxed_difference_error']:.2f}"


def plain(key: str, digits: int = 3) -> Cell:
    """A metric alone."""
    return lambda record: linked(number(record["metrics"][key], digits), record)


def cell(runs: list[Record], key: str, one: Cell, digits: int = 3) -> str:
    """One run's number, or mean and standard deviation over seeds with each of them; "not run" where there is none."""
    having = [run for run in runs if key in run["metrics"]]
    if not having:
        return NOT_RUN
    if len(having) == 1:
        return one(having[0])
    values = [run["metrics"][key] for run in having]
    each = ", ".join(linked(number(value, digits), run) for value, run in zip(values, having, strict=True))
    return f"{number(mean(values), digits)} ± {number(stdev(values), 2)} ({each})"


def middle(runs: list[Record], key: str) -> float | None:
    """Mean of a metric over seeds; None where it was not measured."""
    values = [run["metrics"][key] for run in runs if key in run["metrics"]]
    return mean(values) if values else None


def ranking(rows: list[str], rule: str, key: str, records: list[Record]) -> list[tuple[str, float]]:
    """Rows that were measured, the highest first."""
    found = [(row, middle(runs_of(recipe_name(row, rule), records), key)) for row in rows]
    return sorted(((row, value) for row, value in found if value is not None), key=lambda pair: -pair[1])
