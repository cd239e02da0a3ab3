"""Which of our recipes stands for which row of GNM's tables, and how rows rank by what was measured."""

import math

from scripts.pages.records import Record, middle, runs_of

STAGED = "GNM, in stages"  # of the paper's size, which learns as the lite one does
# rows of the papers' tables -> the model part of our recipes' names, and rows of our own
STEMS = {
    "GNM": "gnm",
    "GNM-Struct": "gnm",
    STAGED: "gnm-staged",
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


def recipe_name(row: str, rule: str, size: str = LITE) -> str:
    """The recipe that stands for a row of a table."""
    return f"{STEMS[row]}-{rule}{size}"


def was_copied(near: dict[str, float]) -> bool:
    """Are imagined scenes nearer to the training set than one half of the time, by more than twice the error?"""
    return near["copied"] - 0.5 > 2 * near["copied_error"]


def ranking(rows: list[str], rule: str, key: str, records: list[Record]) -> list[tuple[str, float]]:
    """Rows that were measured, the highest first."""
    found = [(row, middle(runs_of(recipe_name(row, rule), records), key)) for row in rows]
    return sorted(((row, value) for row, value in found if value is not None), key=lambda pair: -pair[1])


def standing(wanted: str, place: int, rows: list[str], rule: str, key: str, records: list[Record]) -> list[bool]:
    """Run by run of a model: is it first (place 0) or last (-1), beside the others' means? Empty where none was run.

    A run at the cap is left out where another row stands there, too.
    """
    others = [value for row, value in ranking(rows, rule, key, records) if row != wanted]
    runs = [run["metrics"] for run in runs_of(recipe_name(wanted, rule), records) if key in run["metrics"]]
    values = [m[key] for m in runs if not (others and at_cap(m, key) and max(others) == m[key])]
    return [value > max(others) if place == 0 else value < min(others) for value in values] if others else []


def at_cap(metrics: dict[str, float], key: str) -> bool:
    """Is this number the most that it could be, and so no number?"""
    return metrics.get(key) == metrics.get(f"{key}_cap", math.nan)


def capped_rows(rows: list[str], rule: str, key: str, records: list[Record]) -> list[str]:
    """Rows that have a run at the cap."""
    return [row for row in rows if any(at_cap(r["metrics"], key) for r in runs_of(recipe_name(row, rule), records))]
