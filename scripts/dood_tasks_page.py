"""Writes book/dood_tasks.md from the run records: `python -m scripts.dood_tasks_page`.

Measures nothing. A number reaches the page only from data/results/ or data/published.json.
"""

import json
import sys

from scripts import dood_tasks_words as words
from scripts.gnm_experiments import linked, runs_of
from scripts.pages import ROOT
from scripts.results_page import NOT_RUN, PUBLISHED, RECORDS, Record, load_records, number, table

CONTROLS = RECORDS / "one_shot_controls.json"
PAGE = ROOT / "book" / "dood_tasks.md"
MODEL = "dood-omniglot-lite"
WAYS = {"one way": "one_way", "both ways": "two_way", "together": "together"}
AFFINE = {"one way": "affine", "both ways": "affine_two_way", "together": "affine_together"}


def percent(metrics: dict[str, float], key: str, file: str) -> str:
    """A share and its standard error, in percent, that lead to their file."""
    if key not in metrics:
        return NOT_RUN
    return f"{linked(f'{100 * metrics[key]:.1f}', {'file': file})} ± {100 * metrics[f'{key}_error']:.1f}"


def one_shot(published: dict[str, float], records: list[Record], controls: dict[str, dict[str, float]]) -> str:
    """Table 1."""
    runs = runs_of(MODEL, records)
    ours, file = (runs[0]["metrics"], runs[0]["file"]) if runs else ({}, "")
    official, background = controls["official"], controls["background"]
    strokes = [
        *(percent(ours, f"one_shot_{key}", file) for key in WAYS.values()),
        percent(background, "one_shot_one_way", CONTROLS.name),
    ]
    pictures = [percent(official, f"pictures_{key}", CONTROLS.name) for key in AFFINE.values()]
    pictures.append(percent(background, "pictures_affine", CONTROLS.name))
    plainer = {name: percent(official, f"pictures_{name}", CONTROLS.name) for name in ("pixels", "blurred", "moments")}
    return "\n".join([
        words.ONE_SHOT,
        words.STROKES,
        table(["", *WAYS, "one way, background"], [["strokes", *strokes], ["pictures", *pictures]]),
        words.PLAINER.format(**plainer),
        words.PUBLISHED,
        table(["model", "percent"], [[name, number(value)] for name, value in published.items()]),
    ])  # fmt: skip


def page(records: list[Record], published: dict, controls: dict[str, dict[str, float]]) -> str:
    """The page's text."""
    theirs = published["dood"]["table_1_one_shot_accuracy_percent"]
    return "\n".join([words.INTRODUCTION, one_shot(theirs, records, controls)])


def current_page() -> str:
    """The page as the files in data/ say it should be."""
    published, controls = (json.loads(path.read_text(encoding="utf-8")) for path in (PUBLISHED, CONTROLS))
    return page(load_records(), published, controls)


def main() -> int:
    """Write the page."""
    PAGE.write_text(current_page(), encoding="utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
