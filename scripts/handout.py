"""Writes the notebooks for a class: `python -m scripts.handout [FOLDER]`, without outputs and without solutions.

The exercises, their gaps and their checks stay. FOLDER is `handout` beside `notebooks`, so that paths into `data` hold.
"""

import argparse
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from scripts.toc import ROOT

NOTEBOOKS = ROOT / "notebooks"
BEGIN, END = "```{solution-start}", "```{solution-end}\n```"
PROMISE = " The solutions are folded below each exercise."


def without_solutions(notebook: NotebookNode) -> NotebookNode:
    """The notebook as a class gets it. A solution may begin and end anywhere in a cell of text."""
    kept, inside = [], False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source, inside = outside(cell.source.replace(PROMISE, ""), inside)
        elif inside:
            continue
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if cell.source:
            kept.append(cell)
    notebook.cells = kept
    notebook.metadata.pop("widgets", None)  # the state of sliders, all their pictures
    return notebook


def outside(text: str, inside: bool) -> tuple[str, bool]:
    """What of a text lies outside of solutions, and whether its end is in one; `inside` says so of its beginning."""
    parts = []
    while text:
        part, mark, text = text.partition(END if inside else BEGIN)
        parts += [] if inside else [part]
        inside = not inside if mark else inside
    return "".join(parts).strip(), inside


def main(arguments: list[str]) -> int:
    """Write them all."""
    parser = argparse.ArgumentParser("python -m scripts.handout", description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "handout")
    folder = parser.parse_args(arguments).folder
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        if folder.resolve() == path.parent.resolve():
            raise SystemExit(f"{folder} has the notebooks themselves: name another folder")
        nbformat.write(without_solutions(nbformat.read(path, as_version=4)), folder / path.name)
    print(f"written: {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
