"""Numbers, tables and pages as Markdown."""

import math
from collections.abc import Iterable
from pathlib import Path

from scripts.toc import ROOT


def number(value: float | int | None, digits: int = 4) -> str:
    """A number for a table, with `digits` significant digits; large ones whole, with thousands separated."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= min(1000, 10**digits - 0.5) else f"{value:.{digits}g}"


def published_number(value: float, column: str) -> str:
    """A published number with the digits it was published with."""
    return number(value) if column in ("d_steps", "log_likelihood") else f"{value:.3f}"


def spread(pair: list[float | None]) -> str:
    """Mean and spread, where a spread was published."""
    value, deviation = pair
    return number(value) if deviation is None else f"{number(value)} ± {number(deviation)}"


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    lines = [list(header), *(list(row) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def listed(names: list[str]) -> str:
    """One, two and three."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def folded(title: str, text: str) -> str:
    """A box that is closed until it is asked for."""
    return f"```{{admonition}} {title}\n:class: dropdown\n\n{text}```\n"


def write_page(page: Path, text: str) -> None:
    """Write a generated page, and say so."""
    page.write_text(text, encoding="utf-8")
    print(f"written: {page.relative_to(ROOT)}")
