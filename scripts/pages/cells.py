"""What a run measured as a cell of a table: each number leads to the record that it is from."""

import re
from collections.abc import Iterable
from statistics import mean, stdev

from scripts.pages.markdown import number
from scripts.pages.records import Record

NOT_RUN = "not run"
PLUS_MINUS, AT_LEAST = " ±\N{NO-BREAK SPACE}", "≥\N{NO-BREAK SPACE}"  # a line does not end after them


def linked(text: str, record: Record) -> str:
    """A number that leads to the record it is from."""
    return f"[{text}](../data/results/{record['file']})"


def cell(runs: list[Record], key: str, digits: int = 3) -> str:
    """One run's number, or mean and standard deviation over seeds with each of them; "not run" where there is none."""
    having = [run for run in runs if key in run["metrics"]]
    if not having:
        return NOT_RUN
    if len(having) == 1:
        return measured(having[0], key, digits)
    numbers = [run["metrics"][key] for run in having]
    middle = value(having[0]["metrics"] | {key: mean(numbers)}, key, digits)
    each = ", ".join(linked(value(run["metrics"], key, digits), run) for run in having)
    return f"{middle}{PLUS_MINUS}{number(stdev(numbers), 2)} ({each})"


def lines(row: str, columns: Iterable[str], published: dict[str, str], ours: list[str]) -> list[list[str]]:
    """Of a table: a model's published numbers by column, if there are any, and ours below them."""
    theirs = [[f"{row}, published", *(published.get(column, "–") for column in columns)]] if published else []
    return [*theirs, [f"**{row}**, ours", *ours]]


def measured(record: Record, key: str, digits: int = 3) -> str:
    """A metric, and how sure it is."""
    return linked(value(record["metrics"], key, digits), record) + sureness(record["metrics"], key)


def value(metrics: dict[str, float], key: str, digits: int = 4) -> str:
    """A metric alone: shares that have an interval with three decimals."""
    return f"{metrics[key]:.3f}" if _ends(metrics, key) else number(metrics[key], digits)


def sureness(metrics: dict[str, float], key: str) -> str:
    """The interval of a share, or the standard error of a number, where the run has measured it."""
    if ends := _ends(metrics, key):
        return " ({} to {})".format(*(f"{metrics[end]:.3f}" for end in ends))
    return f"{PLUS_MINUS}{number(metrics[f'{key}_error'], 2)}" if f"{key}_error" in metrics else ""


def _ends(metrics: dict[str, float], key: str) -> tuple[str, str] | None:
    """Names of the ends of a share's interval."""
    kind = re.sub("_(accuracy|accept)$", "", key)
    return (f"{kind}_low", f"{kind}_high") if kind != key and f"{kind}_low" in metrics else None


def steps(runs: list[Record]) -> str:
    """D-Steps with the range over classifiers; of several seeds all medians. What reached the cap is at least that."""
    having = [run for run in runs if "d_steps" in run["metrics"]]
    if len(having) > 1:
        return ", ".join(linked(at_least("d_steps", run), run) for run in having)
    if not having:
        return NOT_RUN
    low, high = (at_least(f"d_steps_{end}", having[0]) for end in ("low", "high"))
    return linked(at_least("d_steps", having[0]), having[0]) + (f" ({low} to {high})" if low != high else "")


def at_least(key: str, record: Record) -> str:
    """A number of steps, marked where it is the cap."""
    m = record["metrics"]
    return (AT_LEAST if m[key] == m["d_steps_cap"] else "") + number(m[key])


def relaxed(record: Record) -> str:
    """By how much relaxed presence makes the bound another, with its standard error."""
    m = record["metrics"]
    difference = f"{m['relaxed_difference']:+.2f}"
    return f"{linked(difference, record)}{PLUS_MINUS}{m['relaxed_difference_error']:.2f}"
