"""Writes book/results.md from the run records in data/results/ and the papers' tables in data/published.json.

A number reaches the page only from one of these files. `python -m scripts.pages.results_page` rewrites the page.
"""

import fnmatch
import json
from collections.abc import Iterable
from statistics import mean, stdev

from scripts.pages.cells import NOT_RUN, linked, sureness, value
from scripts.pages.markdown import number, published_number, spread, table, write_page
from scripts.pages.records import PUBLISHED, Record, load_records
from scripts.pages.results_words import DATASETS, DIFFERENCES, FAMILIES, HEADINGS, INTRODUCTION, MEANINGS
from scripts.toc import ROOT

PAGE = ROOT / "book" / "results.md"
PARSER = ROOT / "data" / "parsers" / "parser-mnist.json"

GALLERY = ("failure-", "cure-")  # runs that stand on a page of their own
# models of the paper's table
ONE_SHOT = {"DooD": "dood-omniglot-lite", "Difference-AIR": "difference-air-omniglot-short"}

# how the metrics of a run record may be called that stand beside a column of the papers' tables
ALIASES = {
    "ap_iou_0.50": ("ap50",),
    "ap_iou_0.50_to_0.95_step_0.05": ("ap50_95",),
    "z_what_classification_accuracy": ("what_class",),
}
# rows of published tables -> the model part of the names of our recipes (model-data[-lite]), where it is not the same
MODELS = {"GNM": ("gnm", "gnm-gaussian")}  # boxes are found by the same encoder under both priors
DATA = {
    "mnist_4": ("mnist4", "digits4"),
    "mnist_10": ("mnist10", "digits10"),
    "mnist_4_10": ("mnist4-10", "digits4-10"),
}


def runs_section(records: list[Record]) -> str:
    """One row a run, then a table a family of metrics; each run links to its record."""
    records = [r for r in records if not r["recipe"].startswith(GALLERY)]
    if not records:
        return "## Our runs\n\nThere is no run record yet.\n"
    header = ["run", "seed", "steps", "minutes", "device", "parameters", "date"]
    rows = [
        [
            f"{{download}}`{r['recipe']} <../data/results/{r['file']}>`",
            str(r["seed"]),
            f"{r['steps']:,}",
            number(r["minutes"], 3),
            r["device"],
            f"{r['parameters']:,}",
            r["date"],
        ]
        for r in records
    ]
    explanation = (
        "The name links to the record: a JSON file with versions, configuration, training curve and more metrics. "
        "Minutes are processor time on a CPU, wall time on a GPU. Runs that fail on purpose, and their cures, are in "
        "the {doc}`failure gallery <failure_gallery>`."
    )
    shown = {name for names in FAMILIES.values() for name in names if any(name in r["metrics"] for r in records)}
    meanings = [f"- `{name}`: {meaning}\n" for name, meaning in MEANINGS.items() if fnmatch.filter(shown, name)]
    return (
        f"## Our runs\n\n{explanation}\n\n"
        + table(header, rows)
        + "".join(family_table(title, names, records) for title, names in FAMILIES.items())
        + "\n### What the metrics mean\n\n"
        + "".join(meanings)
    )


def family_table(title: str, names: tuple[str, ...], records: list[Record]) -> str:
    """The runs that have one of these metrics, a column a metric that any of them has; a run leads to its record."""
    having = [r for r in records if any(name in r["metrics"] for name in names)]
    columns = [name for name in names if any(name in r["metrics"] for r in having)]
    rows = [[linked(run_name(r), r), *(shown(r["metrics"], name) for name in columns)] for r in having]
    return f"\n### {title}\n\n" + table(["run", *(f"`{name}`" for name in columns)], rows) if having else ""


def run_name(record: Record) -> str:
    """The recipe, with the seed where it is not the recipe's own."""
    seed = "" if record["seed"] == record.get("config", {}).get("seed", record["seed"]) else f", seed {record['seed']}"
    return f"`{record['recipe']}`{seed}"


def shown(metrics: dict[str, float], name: str) -> str:
    """A metric and how sure it is, or a dash."""
    return value(metrics, name) + sureness(metrics, name) if name in metrics else number(None)


def measured(records: list[Record], column: str) -> str:
    """Our value for a published column: one run, or mean and standard deviation over the seeds of a recipe."""
    values = [r["metrics"][key] for r in records for key in ALIASES[column] if key in r["metrics"]]
    if not values:
        return "–"
    if len(values) == 1:
        return number(values[0])
    return f"{number(mean(values))} ± {number(stdev(values), 2)} ({len(values)} runs)"


def recipes_of(stems: Iterable[str], dataset: str, records: list[Record]) -> list[str]:
    """Names of our recipes with a record that stand for a published row, the paper's data and size first."""
    data = DATA.get(dataset, (dataset.replace("_", "-"),))
    wanted = [f"{stem}-{d}{size}" for stem in stems for d in data for size in ("", "-lite")]
    have = {record["recipe"] for record in records}
    return [name for name in wanted if name in have]


def ours(names: list[str], columns: list[str], records: list[Record]) -> str:
    """What our runs of a published row measured, recipe by recipe."""
    cells = []
    for name in names:
        runs = [r for r in records if r["recipe"] == name]
        values = [f"{HEADINGS[c]}: {measured(runs, c)}" for c in columns]
        cells.append(f"{', '.join(linked(run_name(run), run) for run in runs)} ({', '.join(values)})")
    return "; ".join(cells) or NOT_RUN


def scenes_table(published: dict, records: list[Record]) -> str:
    """Table 4 of GNM: one row a data set and model, published columns first, then ours."""
    columns = published["columns"]
    rows = []
    for dataset in [key for key in published if key != "columns"]:
        for model, values in published[dataset].items():
            theirs = (published_number(v, c) for v, c in zip(values, columns, strict=True))
            names = recipes_of(MODELS.get(model, (model.lower(),)), dataset, records)
            rows.append([DATASETS[dataset], model, *theirs, ours(names, columns, records)])
    return table(["data", "model", *(HEADINGS[c] for c in columns), "ours"], rows)


def gnm_section(gnm: dict, records: list[Record]) -> str:
    """Table 4 of GNM, ours beside it; the others have a page of their own."""
    return "\n".join(
        [
            "## GNM: published beside measured\n",
            "Source: {cite:t}`jiang2020gnm`. Tables 1, 2, 3 and 5 and figure 4 are on "
            "{doc}`a page of their own <gnm_experiments>`.\n",
            protocol(gnm["protocol"]),
            "### Table 4: boxes (average precision by overlap) and appearance\n",
            scenes_table(gnm["table_4_representation"], records),
        ]
    )


def protocol(lines: dict[str, str | int]) -> str:
    """The published protocol, one line a measure."""
    names = HEADINGS | {"one_shot": "One-shot classification", "max_strokes": "Strokes at most", "baseline": "Baseline"}
    return "Their protocol:\n\n" + "\n".join(f"- {names[key]}: {line}." for key, line in lines.items()) + "\n"


def one_shot(model: str, records: list[Record]) -> str:
    """Our share of one-shot classification, one way, in percent; the page of tasks has the rest."""
    if model not in ONE_SHOT:
        return "–"
    for record in records:
        if record["recipe"] == ONE_SHOT[model] and "one_shot_one_way" in record["metrics"]:
            share = f"{100 * record['metrics']['one_shot_one_way']:.1f}"
            return f"{share} (`{record['recipe']}`, one way; {{doc}}`dood_tasks`)"
    return NOT_RUN


def dood_section(dood: dict, records: list[Record]) -> str:
    """The tables and figures of DooD with numbers. Likelihoods and FIDs are for 50 x 50 pixels: none of ours is."""
    figure_4 = dood["figure_4_log_likelihood_nats_at_50x50"]
    sets = figure_4["sets"]
    parts = ["## DooD: published beside measured\n", "Source: {cite:t}`liang2022dood`.\n", protocol(dood["protocol"])]
    parts.append("### Figure 4: log-likelihood across data sets, nats at 50x50 pixels\n")
    parts.append("Ours are at 28x28 pixels and have {doc}`a page of their own <transfer>`.\n")
    header = ["model", "trained on", *(f"tested on {DATASETS[s]}" for s in sets)]
    rows = [
        [model, DATASETS[source], *(spread(pair) for pair in figure_4[model][source])]
        for model in ("DooD", "Difference-AIR")
        for source in sets
    ]
    parts.append(table(header, rows))
    shares = dood["table_1_one_shot_accuracy_percent"]
    rows = [[model, number(value), one_shot(model, records)] for model, value in shares.items()]
    parts += ["### Table 1: one-shot classification\n", table(["model", "accuracy, published (%)", "ours"], rows)]
    silhouette = {k: v for k, v in dood["figure_5_silhouette"].items() if k != "clusters"}
    parts.append(f"### Figure 5: silhouette of {dood['figure_5_silhouette']['clusters']} clusters of strokes\n")
    parts.append("Ours are on {doc}`the page of tasks <dood_tasks>`, set by set.\n")
    parts.append(table(["model", "published"], [[model, number(value)] for model, value in silhouette.items()]))
    named = [(name.split("/"), pair) for name, pair in dood["figure_6_fid"].items()]
    rows = [[model, DATASETS[data], spread(pair)] for (model, data), pair in named]
    parts.append("### Figure 6: FID of unconditional samples\n")
    parts.append("Ours are in the features of another network, at 28x28 pixels, and on {doc}`dood_tasks` as well.\n")
    parts.append(table(["model", "data", "published"], rows))
    return "\n".join(parts)


def render(records: list[Record], published: dict) -> str:
    """The whole page."""
    gnm, dood = published["gnm"], published["dood"]
    differences = DIFFERENCES.replace("{accepted}", str(_published_scenes_accepted()))
    sections = runs_section(records), gnm_section(gnm, records), dood_section(dood, records)
    return "\n".join([INTRODUCTION, *sections, differences])


def _published_scenes_accepted() -> int:
    """How many of the authors' 250 MNIST-4 samples our parser accepts."""
    return int(json.loads(PARSER.read_text(encoding="utf-8"))["metrics"]["published_accepted"])


def current_page() -> str:
    """The page as the files in data/ say it should be."""
    return render(load_records(), json.loads(PUBLISHED.read_text(encoding="utf-8")))


if __name__ == "__main__":
    write_page(PAGE, current_page())
