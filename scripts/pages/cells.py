"""What a run measured as a cell of a table: each number leads to the record that it is from."""

from collections.abc import Callable
from statistics import mean, stdev

from scripts.pages.markdown import number
from scripts.pages.records import Record

NOT_RUN = "not run"
Cell = Callable[[Record], str]


def linked(text: str, record: Record) -> str:
    """A number that leads to the record it is from."""
    return f"[{text}](../data/results/{record['file']})"


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


def share(record: Record) -> str:
    """Structure accuracy with its interval."""
    return accepted(record["metrics"], record)


def accepted(metrics: dict[str, float], record: Record, of: str = "structure") -> str:
    """The share that a parser accepts, with its interval."""
    middle, low, high = (f"{metrics[f'{of}_{name}']:.3f}" for name in ("accuracy", "low", "high"))
    return f"{linked(middle, record)} ({low} to {high})"


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
