"""The pictures of the benchmarks page: all ratios as bars, and what a training step of each model costs.

Opaque cards like all figures of the book, so they read the same on a light and on a dark page. Each file carries the
fingerprint of the report that it was drawn from.
"""

import hashlib
import io
import json

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

from benchmarks.__main__ import Report
from benchmarks.entries import MEMORY, TIME
from neurosym_lite import figures
from neurosym_lite.training.checkpoints import write_atomically
from scripts.toc import ROOT

PICTURES = ROOT / "book" / "_static" / "benchmarks"
ROW = 0.27  # inches a bar
DPI = 130
FINGERPRINT = "Description"  # the PNG text field that holds it


def ratios(report: Report) -> list[dict]:
    """The entries that have a ratio, in the report's order."""
    return [entry for entry in report["entries"] if entry["ratio"] is not None]


def steps(report: Report) -> list[tuple[str, dict, dict]]:
    """Name, time and memory of each model's step."""
    found = {(e["name"], e["unit"]): e for e in report["entries"] if e["group"] == "step"}
    names = dict.fromkeys(name for name, _ in found)
    return [(name, found[name, TIME], found[name, MEMORY]) for name in names]


def label(entry: dict) -> str:
    """What a bar is called."""
    of = "a step of " if entry["group"] == "step" else ""
    return f"{of}{entry['name']}, {'memory' if entry['unit'] == MEMORY else 'time'}"


def _plain_ticks(axes: Axes) -> None:
    """1, 2, 5, 10, 20, ... on a logarithmic axis."""
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def ratio_picture(report: Report) -> Figure:
    """A bar a ratio from 1 on, memory hatched, the number at its end."""
    figures.set_style()
    entries = ratios(report)
    figure, axes = plt.subplots(figsize=(9, ROW * len(entries) + 1.1))
    for row, entry in enumerate(entries):
        in_memory = entry["unit"] == MEMORY
        colour, hatch = (figures.ORANGE, "///") if in_memory else (figures.BLUE, None)
        axes.barh(row, entry["ratio"] - 1, left=1, color=colour, hatch=hatch, edgecolor="white", height=0.8)
        if entry["low"] is not None:
            axes.plot([entry["low"], entry["high"]], [row, row], color=figures.INK, linewidth=1.2)
        axes.annotate(f"{entry['ratio']:.3g}", (max(entry["ratio"], entry["high"] or 0, 1), row), xytext=(4, 0),
                      textcoords="offset points", va="center", fontsize=9)  # fmt: skip
    axes.set_yticks(range(len(entries)), [label(entry) for entry in entries], fontsize=9)
    axes.axvline(1, color=figures.INK, linewidth=1.2)
    axes.set_xscale("log")
    most = max(entry["high"] or entry["ratio"] for entry in entries)
    least = min(entry["low"] or entry["ratio"] for entry in entries)
    axes.set(xlabel="reference / ours (logarithmic)", xlim=(min(0.8, 0.9 * least), 2 * most))
    axes.set_ylim(len(entries) - 0.4, -0.6)
    _plain_ticks(axes)
    keys = [Patch(facecolor=figures.BLUE, label="time"), Patch(facecolor=figures.ORANGE, edgecolor="white",
            hatch="///", label="memory")]  # fmt: skip
    axes.legend(handles=keys, loc="upper right", frameon=False)
    return figure


def _dumbbells(axes: Axes, pairs: list[dict], unit: str) -> None:
    """A line a model, from ours to the reference."""
    for row, entry in enumerate(pairs):
        axes.plot([entry["ours"], entry["reference"]], [row, row], color="0.6", linewidth=1.5, zorder=1)
    rows = range(len(pairs))
    axes.scatter([e["reference"] for e in pairs], rows, color=figures.ORANGE, marker="s", s=70, label="the plain way")
    axes.scatter([e["ours"] for e in pairs], rows, color=figures.BLUE, marker="o", s=38, zorder=3, label="ours")
    axes.set_xscale("log")
    axes.grid(axis="x", color="0.9")
    axes.set(xlabel=f"{unit} a step (logarithmic)", ylim=(len(pairs) - 0.5, -0.5))
    _plain_ticks(axes)


def step_picture(report: Report) -> Figure:
    """CPU milliseconds and MiB of a step by model, side by side."""
    figures.set_style()
    names, times, sizes = zip(*steps(report), strict=True)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 0.42 * len(names) + 1.3), sharey=True)
    _dumbbells(left, times, TIME)
    _dumbbells(right, sizes, MEMORY)
    left.set_yticks(range(len(names)), names)
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper right", ncols=2, frameon=False)
    return figure


def fingerprint(report: Report) -> str:
    """A short name for the numbers that a picture shows."""
    return hashlib.sha256(json.dumps(report["entries"], sort_keys=True).encode()).hexdigest()[:16]


def write(name: str, figure: Figure, report: Report) -> None:
    """Save a picture as PNG, with the report's fingerprint in it."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None, FINGERPRINT: fingerprint(report)})
    plt.close(figure)
    write_atomically(PICTURES / f"{name}.png", buffer.getvalue())
