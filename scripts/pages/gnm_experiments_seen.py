"""The page's section on what D-Steps see: their numbers beside two plain ones of the same samples."""

from neurosym_lite.evaluation.discriminability import TOLD_APART
from scripts.pages import gnm_experiments_words as words
from scripts.pages.cells import NOT_RUN, at_least, cell, linked, measured, steps
from scripts.pages.gnm_experiments import at_cap, recipe_name
from scripts.pages.gnm_experiments_pictures import RULE
from scripts.pages.markdown import table
from scripts.pages.records import Record, of_controls, runs_of


def section(records: list[Record], controls: dict) -> str:
    """A table, and what the models at the cap have in common."""
    of = {row: recipe_name(row, RULE) for row in words.SEEN}
    real = of_controls(controls["real"][RULE])
    body = [[
        "real scenes", measured(real, "structure_spread"), control(real["metrics"]["brightness"]),
        linked(at_least("d_steps", real), real),
    ]]  # fmt: skip
    for row, name in of.items():
        runs = runs_of(name, records)
        bright = controls["brightness"].get(name)
        body.append([row, handwriting(runs), NOT_RUN if bright is None else control(bright), steps(runs)])
    header = ["model", "spread of handwriting", "first run told by one number", "D-Steps"]
    return "\n".join([words.SEEN_INTRO, table(header, body), *at_the_cap(of, records, controls)])


def handwriting(runs: list[Record]) -> str:
    """The spread of handwriting; a dash where too few scenes are accepted in all runs, and there is none."""
    if runs and all(run["metrics"]["structure_spread"] == 0 for run in runs):
        return "–"
    return cell(runs, "structure_spread")


def at_the_cap(of: dict[str, str], records: list[Record], controls: dict) -> list[str]:
    """Of rows whose first run reaches the cap: does one number give them away, and does the network guess?"""
    first = {row: runs[0]["metrics"] for row, name in of.items() if (runs := runs_of(name, records))}
    capped = [row for row, m in first.items() if at_cap(m, "d_steps")]
    bright = [controls["brightness"][of[row]] for row in capped if of[row] in controls["brightness"]]
    curves = {row: controls["curves"][of[row]] for row in capped if of[row] in controls["curves"]}
    told = sum(value >= TOLD_APART for value in bright)
    said = words.ALL_TOLD if told == len(bright) else words.SOME_TOLD.format(capped=len(bright), told=told)
    ends = ", ".join(f"{row} {control(curve[-1][1], 2)}" for row, curve in curves.items())
    return [f"{line}\n" for line in ([said] if bright else []) + ([words.AT_CAP.format(ends=ends)] if ends else [])]


def control(value: float, digits: int = 3) -> str:
    """A share that the controls measured, and that leads to them."""
    return linked(f"{value:.{digits}f}", of_controls({}))
