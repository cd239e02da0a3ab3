"""Writes book/benchmarks.md and its pictures from data/results/benchmarks.json: `python -m benchmarks.page`.

Measures nothing. A number reaches the page only from the report that `python -m benchmarks` wrote.
"""

import sys
from collections.abc import Iterable

from benchmarks.__main__ import REPORT, Report, load
from benchmarks.entries import SECOND
from benchmarks.pictures import ratio_picture, ratios, step_picture, steps, write
from benchmarks.scenes import BATCH
from benchmarks.words import GROUPS, INTRODUCTION, NO_BOOK, QUICK, RATIO_HEADING
from scripts.pages.markdown import table, write_page
from scripts.toc import ROOT

PAGE = ROOT / "book" / "benchmarks.md"
COLUMNS = ["what", "unit", "ours", "reference", "ratio", "the reference"]
TIMED = ("step", "process", "renderers", "sampling", "scenes", "rooms")  # the groups that several rounds make better
SMALL = 1e-3  # below, a number is printed as a power of ten


def number(value: float | None, missing: str = "–") -> str:
    """A number with three significant digits, or the word that stands for a missing one."""
    if value is None:
        return missing
    if value and abs(value) < SMALL:
        mantissa, _, exponent = f"{value:.1e}".partition("e")
        return f"${mantissa} \\times 10^{{{int(exponent)}}}$"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def rows(entries: Iterable[dict]) -> list[list[str]]:
    """A row an entry; what a reference is stands in the first of the rows that share it."""
    found, above = [], ""
    for entry in entries:
        absent = "–" if entry["missing"] == "none" else entry["missing"]
        numbers = number(entry["ours"], "not reached"), number(entry["reference"], absent), ranged(entry)
        against = "as above" if entry["against"] == above else entry["against"]
        found.append([entry["name"], entry["unit"], *numbers, against])
        above = entry["against"]
    return found


def ranged(entry: dict) -> str:
    """The ratio, and behind it its range over several pairs."""
    ratio, low, high = (number(entry[key]) for key in ("ratio", "low", "high"))
    return ratio if entry["low"] is None or low == high else f"{ratio} ({low} to {high})"


def measured_on(header: dict) -> str:
    """Where and when a group was measured."""
    return (
        f"Measured on {header['date']}: {header['machine']}, {header['cores']} cores, {header['threads']} "
        f"thread{'s' if header['threads'] > 1 else ''} used; Python {header['python']}, torch {header['torch']}, "
        f"neurosym_lite {header['package']}; the memory allocator: {header['allocator']}."
    )


def not_alike(report: Report) -> bool:
    """Were the groups measured in different places, versions or days? The one that is only read does not count."""
    return len({measured_on(header) for name, header in report["headers"].items() if name != "structure"}) > 1


def rates(entries: list[dict]) -> str:
    """Scenes a CPU second, which is how one thinks of a generator."""
    said = [
        f"{entry['name'].rpartition(' ')[2]}: {number(BATCH * SECOND / entry['ours'])} scenes a CPU second, "
        f"the loop {number(BATCH * SECOND / entry['reference'])}"
        for entry in entries
    ]
    return "; ".join(said) + "."


def section(name: str, report: Report) -> str:
    """A group: words, table, how it was measured."""
    title, words = GROUPS[name]
    entries = [entry for entry in report["entries"] if entry["group"] == name]
    parts = [f"## {title}", words]
    if not entries:
        return "\n\n".join([*parts, NO_BOOK]) + "\n"
    if name == "step":
        parts.append(step_figure(report))
    parts.append(table(COLUMNS, rows(entries)).rstrip())
    if name == "scenes":
        parts.append(rates(entries))
    units = {how: sorted({e["unit"] for e in entries if e["how"] == how}) for how in {e["how"]: 0 for e in entries}}
    parts.append("How:\n\n" + "\n".join(f"- {', '.join(found)}: {how}." for how, found in units.items()))
    if name != "structure" and not_alike(report):
        parts.append(measured_on(report["headers"][name]))
    return "\n\n".join(parts) + "\n"


def ratio_figure(report: Report) -> str:
    """The directive of the picture of all ratios."""
    found = ratios(report)
    ahead = sum(entry["ratio"] > 1 for entry in found)
    least, most = (pick(found, key=lambda entry: entry["ratio"]) for pick in (min, max))
    return f"""```{{figure}} _static/benchmarks/ratios.png
:name: fig-benchmarks-ratios
:alt: Horizontal bars of {len(found)} ratios on a logarithmic axis with a line at 1; {ahead} are above 1. The largest \
is {number(most["ratio"])}, for {most["name"]} ({most["unit"]}); the least is {number(least["ratio"])}, for \
{least["name"]} ({least["unit"]}). Bars of time are plain, with a line for their range; bars of memory are hatched.

How many times the reference costs what ours costs, in time (plain) and in memory (hatched). A thin line is the range
over several pairs. The axis is logarithmic; at 1 both cost the same.
```
"""


def step_figure(report: Report) -> str:
    """The directive of the picture of steps."""
    said = [
        f"{name}: {number(time['ours'])} and {number(time['reference'])} ms, {number(memory['ours'])} and "
        f"{number(memory['reference'])} MiB"
        for name, time, memory in steps(report)
    ]
    return f"""```{{figure}} _static/benchmarks/steps.png
:name: fig-benchmarks-steps
:alt: Two plots with a line for each model, from a round mark, ours, to a square one, the reference. {". ".join(said)}.

CPU milliseconds and peak MiB of a training step: ours (round) and the plain way (square). Both axes are logarithmic.
```"""


def dearer(report: Report) -> str:
    """Where ours costs more than the reference in every pair, said first, and where noise hides which costs more."""
    found = [entry for entry in ratios(report) if (entry["high"] or entry["ratio"]) < 1]
    even = [entry for entry in ratios(report) if entry["low"] and entry["low"] <= 1 <= entry["high"]]
    more, alike = ("; ".join(f"{e['name']} ({e['unit']}, {ranged(e)})" for e in some) for some in (found, even))
    return f"Ours costs more than the reference: {more or 'nowhere'}.\n" + (
        f"Which costs more is not to be told: {alike}.\n" if even else ""
    )


def render(report: Report) -> str:
    """The page's text."""
    quick = QUICK if any(report["headers"][name]["quick"] for name in TIMED if name in report["headers"]) else ""
    where = "" if not_alike(report) else measured_on(next(iter(report["headers"].values()))) + "\n"
    top = [INTRODUCTION, where + quick, RATIO_HEADING.lstrip(), dearer(report), ratio_figure(report)]
    return "\n".join([*top, *(section(name, report) for name in GROUPS)])


def main() -> int:
    """Write the page and the pictures."""
    report = load()
    if not report["entries"]:
        print(f"no report {REPORT}: `python -m benchmarks` writes it", file=sys.stderr)
        return 2
    write("ratios", ratio_picture(report), report)
    write("steps", step_picture(report), report)
    write_page(PAGE, render(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
