"""Writes book/dood_tasks.md from the run records: `python -m scripts.pages.dood_tasks_page`.

Measures nothing. A number reaches the page only from data/results/ or data/published.json.
"""

import json
from collections.abc import Callable

from neurosym_lite.evaluation.classifier import FEATURES, PATH
from neurosym_lite.evaluation.drawing_metrics import SAMPLES
from neurosym_lite.evaluation.stroke_clusters import KINDS, STROKES
from neurosym_lite.models.dood_parts import PAPER_SPREAD
from neurosym_lite.training.transfer_recipes import SETS
from scripts.pages import dood_tasks_words as words
from scripts.pages.cells import NOT_RUN, cell, linked
from scripts.pages.markdown import number, table, write_page
from scripts.pages.records import PUBLISHED, RECORDS, Record, load_records, middle, runs_of
from scripts.pages.results_words import DATASETS
from scripts.pages.transfer import FIGURE_4, recipe_name
from scripts.toc import ROOT

Shown = Callable[[list[Record], str, str], str]

CLASSIFIER = PATH.with_suffix(".json")
MARGIN = 0.05  # of silhouettes, that counts as ahead
CONTROLS = RECORDS / "one_shot_controls.json"
PAGE = ROOT / "book" / "dood_tasks.md"
MODEL = "dood-omniglot-lite"
REDRAWN = {label: recipe_name(kind, "omniglot") for label, kind in FIGURE_4.items() if kind != "dood"}
WAYS = {"one way": "one_way", "both ways": "two_way", "together": "together"}
AFFINE = {"one way": "affine", "both ways": "affine_two_way", "together": "affine_together"}


def percent(metrics: dict[str, float], key: str, file: str) -> str:
    """A share and its standard error, in percent, that lead to their file."""
    if key not in metrics:
        return NOT_RUN
    return f"{linked(f'{100 * metrics[key]:.1f}', {'file': file})} ± {100 * metrics[f'{key}_error']:.1f}"


def measured(name: str, records: list[Record]) -> list[str]:
    """A model's cells of table 1."""
    runs = runs_of(name, records)
    metrics, file = (runs[0]["metrics"], runs[0]["file"]) if runs else ({}, "")
    return [percent(metrics, f"one_shot_{key}", file) for key in WAYS.values()]


def one_shot(published: dict[str, float], records: list[Record], controls: dict[str, dict[str, float]]) -> str:
    """Table 1."""
    official, background = controls["official"], controls["background"]
    shown = {"strokes": [*measured(MODEL, records), percent(background, "one_shot_one_way", CONTROLS.name)]}
    pictures = [percent(official, f"pictures_{key}", CONTROLS.name) for key in AFFINE.values()]
    shown["pictures"] = [*pictures, percent(background, "pictures_affine", CONTROLS.name)]
    for label, name in REDRAWN.items():
        shown[f"pictures, redrawn by {label}"] = [*measured(name, records), "–"]
    plainer = {name: percent(official, f"pictures_{name}", CONTROLS.name) for name in ("pixels", "blurred", "moments")}
    return "\n".join([
        words.ONE_SHOT,
        words.STROKES,
        table(["", *WAYS, "one way, background"], [[label, *cells] for label, cells in shown.items()]),
        words.PLAINER.format(**plainer),
        words.PUBLISHED,
        table(["model", "percent"], [[name, number(value)] for name, value in published.items()]),
    ])  # fmt: skip


def on_sets(rows: dict[str, tuple[str, str]], shown: Shown, records: list[Record]) -> str:
    """A row a model and metric, a column the set that the model learned."""
    body = []
    for label, (kind, key) in rows.items():
        runs = [runs_of(recipe_name(kind, name), records) for name in SETS]
        body.append([label, *(shown(found, key, name) for found, name in zip(runs, SETS, strict=True))])
    return table(["", *(DATASETS[name] for name in SETS)], body)


def distance(runs: list[Record], key: str, _: str) -> str:
    """Of samples, or of real characters."""
    return cell(runs, key)


def silhouette(runs: list[Record], key: str, name: str) -> str:
    """With the parts a character, where both were measured."""
    parts = f"parts_on_{name}"
    if key == "silhouette_shuffled" or not any(key in run["metrics"] for run in runs):
        return cell(runs, key)
    return f"{cell(runs, key)} ({cell(runs, parts, 2)})"


def ahead(rival: str, key: str, margin: float, sign: int, records: list[Record]) -> str:
    """On how many of the sets that both were run for DooD is ahead by so much; `sign` is 1 where more is better."""
    both = []
    for name in SETS:
        mine, theirs = (middle(runs_of(recipe_name(kind, name), records), key) for kind in ("dood", rival))
        if mine is not None and theirs is not None:
            both.append(round(sign * (mine - theirs), 4) >= margin if margin else sign * (mine - theirs) > 0)
    return f"{sum(both)} of {len(both)} sets" if both else NOT_RUN


def clusters(published: dict[str, float], records: list[Record]) -> str:
    """Figure 5."""
    rows = {label: (kind, "silhouette") for label, kind in FIGURE_4.items()}
    rows |= {f"{label}, shuffled": (kind, "silhouette_shuffled") for label, kind in FIGURE_4.items()}
    who = {"ahead": "air", "difference": "difference-air"}
    counted = {name: ahead(rival, "silhouette", MARGIN, 1, records) for name, rival in who.items()}
    return "\n".join([
        words.CLUSTERS.format(parts=f"{STROKES:,}", kinds=KINDS),
        on_sets(rows, silhouette, records),
        words.CLUSTERS_AHEAD.format(margin=MARGIN, **counted),
        words.CLUSTERS_PUBLISHED.format(dood=published["DooD"], air=published["Difference-AIR"]),
    ])  # fmt: skip


def samples(records: list[Record]) -> str:
    """Figure 6, and the pictures of figures 6 to 8."""
    rows = {
        "other characters: the floor": ("dood", "frechet_floor"),
        "DooD": ("dood", "frechet_prior"),
        "DooD, narrowed": ("dood", "frechet_narrow"),
        "Difference-AIR": ("difference-air", "frechet_prior"),
        "AIR": ("air", "frechet_prior"),
        "Difference-AIR, as many parts as it reads": ("difference-air", "frechet_counted"),
        "AIR, as many parts as it reads": ("air", "frechet_counted"),
    }
    who = {"ahead": "air", "difference": "difference-air"}
    counted = {name: ahead(rival, "frechet_prior", 0.0, -1, records) for name, rival in who.items()}
    about = {"samples": f"{SAMPLES:,}", "features": FEATURES, "shape": number(PAPER_SPREAD.shape, 2)}
    return "\n".join([
        words.SAMPLES.format(**about, record=f"[{CLASSIFIER.name}](../data/parsers/{CLASSIFIER.name})"),
        on_sets(rows, distance, records),
        words.SAMPLES_AHEAD.format(**counted),
        words.COIN,
        words.PICTURES,
    ])  # fmt: skip


def page(records: list[Record], published: dict, controls: dict[str, dict[str, float]]) -> str:
    """The page's text."""
    theirs = published["dood"]
    return "\n".join([
        words.INTRODUCTION,
        clusters(theirs["figure_5_silhouette"], records),
        samples(records),
        one_shot(theirs["table_1_one_shot_accuracy_percent"], records, controls),
    ])  # fmt: skip


def current_page() -> str:
    """The page as the files in data/ say it should be."""
    published, controls = (json.loads(path.read_text(encoding="utf-8")) for path in (PUBLISHED, CONTROLS))
    return page(load_records(), published, controls)


if __name__ == "__main__":
    write_page(PAGE, current_page())
