"""Runs notebooks in place and stores their outputs: `make execute`, the only way that outputs get in.

Running a notebook again gives the same bytes: no timings, cell ids that stay, one kernel name, and ids of widgets and
animations that follow from their order instead of chance.
"""

import hashlib
import json
import os
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
CELL_TIMEOUT = 900  # seconds
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
RANDOM_ID = re.compile(r"[0-9a-f]{32}")
ANIMATION_ID = re.compile(rf"_anim_img({RANDOM_ID.pattern})")


def name_cells(notebook: NotebookNode) -> None:
    """Give a cell without an id one that follows from its place; ids that exist stay."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for index, cell in enumerate(notebook.cells):
        cell.setdefault("id", f"cell-{index:03d}")


def steady_ids(text: str, stem: str) -> str:
    """Replace the random ids of widgets and animations, in order of creation, by ids made from the notebook's name."""
    widgets = json.loads(text)["metadata"].get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    drawn = [name for name in widgets if RANDOM_ID.fullmatch(name)]
    for index, old in enumerate(dict.fromkeys([*drawn, *ANIMATION_ID.findall(text)])):
        text = text.replace(old, hashlib.md5(f"{stem}/{index}".encode(), usedforsecurity=False).hexdigest())
    return text


def execute(path: Path) -> str:
    """The notebook's JSON text after all of its cells have run in its own folder."""
    notebook = nbformat.read(path, as_version=4)
    name_cells(notebook)
    notebook.metadata.pop("widgets", None)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    notebook.metadata.kernelspec, notebook.metadata.language_info = KERNEL, LANGUAGE
    nbformat.validate(notebook)
    # in order of creation first, so that ids follow it; sorted only once they are steady
    text = steady_ids(json.dumps(notebook, ensure_ascii=False), path.stem)
    return nbformat.writes(nbformat.reads(text, as_version=4)) + "\n"


def store(path: Path, text: str) -> bool:
    """Write `text` if it differs from what the file holds; a killed run leaves the old file whole."""
    if path.read_text(encoding="utf-8") == text:
        return False
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)
    return True


def main(names: list[str]) -> int:
    """Exit status 0 when every notebook ran; one that fails is left as it was."""
    failed = []
    for path in map(Path, names):
        start = time.monotonic()
        try:
            changed = store(path, execute(path.resolve()))
        except CellExecutionError as error:
            failed.append(path)
            print(f"{path}: a cell failed, the file is left as it was\n{error}", file=sys.stderr)
            continue
        print(f"{path}: {'stored' if changed else 'unchanged'}, {time.monotonic() - start:.0f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit("no notebook given: python -m scripts.execute notebooks/NAME.ipynb ...")
    sys.exit(main(sys.argv[1:]))
