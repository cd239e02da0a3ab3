"""python -m benchmarks: everything that is meant to be fast, each beside its reference, as ratios; one CPU thread.

Writes data/results/benchmarks.json, or the file of `--out`. With `--only GROUP` one group is measured, and the others
stay in the file as they are. `--quick` measures everything once and leaves the book's build out.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks import book, fit, pen, process, render, rooms, sampling, scenes, step, structure
from benchmarks.entries import Entry, header
from benchmarks.measure import FULL, QUICK, Effort
from neurosym_lite.training.checkpoints import write_atomically
from neurosym_lite.training.processor import keep_freed_memory
from neurosym_lite.training.records import RESULTS

REPORT = RESULTS / "benchmarks.json"
Report = dict  # `headers`, by group, and `entries`, group by group in the order of GROUPS


def renderers(effort: Effort) -> list[Entry]:
    """Everything that turns symbols into pixels."""
    return [entry for part in (render.pasting, render.reading, pen.pen, fit.fit) for entry in part(effort)]


GROUPS: dict[str, Callable[[Effort], list[Entry]]] = {
    "step": step.entries,
    "process": process.entries,
    "renderers": renderers,
    "sampling": sampling.entries,
    "scenes": scenes.entries,
    "rooms": rooms.entries,
    "structure": structure.entries,
    "book": book.entries,
}


def measure(names: list[str], effort: Effort, report: Report, keeps: bool = False) -> Report:
    """The report with these groups measured anew; `keeps` goes into their headers."""
    headers, entries = dict(report["headers"]), list(report["entries"])
    for name in names:
        fresh = [entry.as_dict() for entry in GROUPS[name](effort)]
        for entry in fresh:
            print(f"{entry['group']:10} {entry['name']:50} {entry['unit']:13} ours {entry['ours']}, reference "
                  f"{entry['reference'] or entry['missing']}, ratio {entry['ratio']}", flush=True)  # fmt: skip
        entries = [entry for entry in entries if entry["group"] != name] + fresh
        headers[name] = header(effort, keeps)
    order = list(GROUPS)
    return {
        "headers": {name: headers[name] for name in order if name in headers},
        "entries": sorted(entries, key=lambda entry: order.index(entry["group"])),
    }


def load(path: Path = REPORT) -> Report:
    """A report as it lies on disk, or an empty one."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"headers": {}, "entries": []}


def main(argv: list[str] | None = None) -> int:
    """Measure, print a line a number, and write the report after each group."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--out", type=Path, default=REPORT, help="where the report is written")
    parser.add_argument("--only", choices=GROUPS, help="measure this group and keep the rest of the report")
    parser.add_argument("--quick", action="store_true", help="measure once, and do not build the book")
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    keeps = keep_freed_memory()
    names = [options.only] if options.only else [name for name in GROUPS if not (options.quick and name == "book")]
    report = load(options.out)
    for name in names:
        report = measure([name], QUICK if options.quick else FULL, report, keeps)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(options.out, (json.dumps(report, indent=1) + "\n").encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
