"""Writes book/gnm_experiments.md and its pictures from the run records: `python -m scripts.pages.gnm_experiments_page`.

Measures nothing. A number reaches the page only from data/results/, data/published.json or a configuration.
"""

import json
import sys
from itertools import groupby

from torch import nn

from neurosym_lite.evaluation.structure import Z95
from neurosym_lite.training.recipe import MODELS, Config
from neurosym_lite.training.recipes import RECIPES
from scripts.pages import gnm_experiments as found
from scripts.pages import gnm_experiments_few as few
from scripts.pages import gnm_experiments_pictures as pictures
from scripts.pages import gnm_experiments_seeds as seeds
from scripts.pages import gnm_experiments_seen as seen
from scripts.pages import gnm_experiments_words as words
from scripts.pages.cells import NOT_RUN, at_least, cell, lines, linked, measured, relaxed, steps
from scripts.pages.gnm_experiments import LITE, RULES, STAGED, STEMS, recipe_name
from scripts.pages.markdown import folded, number, published_number, table, write_page
from scripts.pages.records import CONTROLS, PUBLISHED, Record, load_again, load_records, of_controls, runs_of
from scripts.pages.results_words import DATASETS, HEADINGS
from scripts.toc import ROOT

PAGE = ROOT / "book" / "gnm_experiments.md"
# rows of table 5, and below them those of ours that the paper does not count
COUNTED = ("GNM", "GENESIS", "ConvDRAW", "VAE", "GNM-Gaussian", "GNM-NoMLP", "ConvDRAW-MLP")
COLUMNS = ("S-Acc", "*t*", "D-Steps", "LL", "ESS", "Fréchet")


def ours(row: str, rule: str, records: list[Record], size: str) -> list[str]:
    """Our cells of a row."""
    runs = runs_of(recipe_name(row, rule, size), records)
    return [
        cell(runs, "structure_accuracy"),
        cell(runs, "structure_true_accept"),
        steps(runs),
        cell(runs, "likelihood", 4),
        cell(runs, "likelihood_effective"),
        cell(runs, "frechet"),
    ]


def scenes_table(rows: list[str], published: dict, rule: str, records: list[Record], size: str = LITE) -> str:
    """Two lines a model: the published numbers, if any, and ours."""
    values = published.get(next(key for key, name in RULES.items() if name == rule), {})
    body = []
    for row in rows:
        theirs = dict(zip(published["columns"], values.get(row, ()), strict=False))
        shown = {HEADINGS[column]: published_number(value, column) for column, value in theirs.items()}
        body += lines(row, COLUMNS, shown, ours(row, rule, records, size))
    return table(["model", *COLUMNS], body)


def verdict(rule: str, rows: list[str], records: list[Record]) -> str:
    """Does what the paper's order says hold of ours? By measure, with the reason where it does not."""
    lines = [f"{words.PUBLISHED_ORDER}\n"]
    for key, (name, claim, wanted, place) in words.CLAIMS.items():
        order = found.ranking(rows, rule, key, records)
        said, held = words.UNDECIDED, found.standing(wanted, place, rows, rule, key, records)
        if not held and len(order) == len(rows):
            said = words.TIED
        elif held and not any(held):
            said = words.FAILS  # whatever the rest will be
        elif held and len(order) == len(rows):
            said = words.HOLDS if all(held) else words.DEPENDS
        why = words.WHY.get(key, "") if said in (words.FAILS, words.DEPENDS) else ""
        capped = ", ".join(found.capped_rows(rows, rule, key, records))
        reasons = [why, words.CAPPED.format(rows=capped) if capped else ""]
        lines.append(" ".join([f"- {name}: {_in_order(order) or NOT_RUN}. {claim}: {said}.", *filter(None, reasons)]))
    return "\n".join(lines) + "\n"


def _in_order(order: list[tuple[str, float]]) -> str:
    """Names, the highest first, equal ones joined by an equals sign."""
    groups = (" = ".join(row for row, _ in group) for _, group in groupby(order, key=lambda pair: pair[1]))
    return " > ".join(groups)


def staged_section(published: dict, rule: str, records: list[Record]) -> str:
    """GNM of the paper's size, trained in stages, beside the paper's; nothing where it was not run."""
    name = recipe_name(STAGED, rule, "")
    runs = runs_of(name, records)
    if not runs:
        return ""
    run, made, whole, lite = runs[0], runs[0]["steps"], RECIPES[name].steps, RECIPES[recipe_name("GNM", rule)].steps
    steps_said = f"{made:,}" if made == whole else words.STOPPED.format(step=f"{made:,}", steps=f"{whole:,}")
    said = words.IN_STAGES.format(
        recipe=name, millions=millions(RECIPES[name].model), steps=steps_said, lite=f"{lite:,}",
        minutes=number(run["minutes"], 2), device=run["device"],
    )  # fmt: skip
    return f"{said}\n\n{scenes_table(['GNM', STAGED], published, rule, records, '')}"


def paper_size(names: list[str], rule: str, records: list[Record]) -> str:
    """What is there at the paper's size."""
    said = []
    for row in names:
        name = recipe_name(row, rule, "")
        if name in RECIPES:
            runs = runs_of(name, records)
            said.append(f"{row} {cell(runs, 'structure_accuracy')}")
    return words.PAPER_SIZE.format(names="; ".join(said)) + "\n" if said else ""


def tables_section(gnm: dict, records: list[Record]) -> str:
    """Tables 1, 2 and 3, a part for each data set of ours."""
    parts = []
    for key, (title, intro) in words.TABLES.items():
        parts += [f"## {title}\n", f"{intro}\n"]
        for dataset, rule in RULES.items():
            rows = list(gnm[key].get(dataset, ()))
            if key == "table_2_ablation" and rule == "mnist4":
                parts += [f"### {DATASETS[dataset]}\n", f"{words.OURS_ALONE}\n"]
                parts.append(scenes_table(list(words.ABLATED), gnm[key], rule, records))
            elif rows:
                shown = [*rows, *words.CONTROLS.get(key, ())]
                parts += [f"### {DATASETS[dataset]}\n", scenes_table(shown, gnm[key], rule, records)]
                if key == "table_1":
                    parts += [verdict(rule, rows, records), staged_section(gnm[key], rule, records)]
                if key == "table_3_mnist_4_10":
                    parts.append(turned(gnm[key], dataset, rule, records))
                parts.append(paper_size(rows, rule, records))
    return "\n".join(part for part in parts if part)


def turned(published: dict, dataset: str, rule: str, records: list[Record]) -> str:
    """What table 3's changes do to structure accuracy: the published numbers, and ours by their intervals."""
    column, said = published["columns"].index("s_acc"), []
    for what, theirs, other in words.TURNED:
        before, after = (published_number(published[dataset][row][column], "s_acc") for row in theirs)
        ends = [runs_of(recipe_name(row, rule), records) for row in other or theirs]
        result = moved(*map(structures, ends)) if all(ends) else NOT_RUN
        said.append(words.TURNED_SAID.format(what=what, before=before, after=after, said=result))
    return "\n".join([f"{words.TURNED_INTRO}\n", *said, ""])


def controls_section(controls: dict) -> str:
    """Real scenes, where models are measured."""
    names = {rule: DATASETS[dataset] for dataset, rule in RULES.items()}
    body = []
    for rule, metrics in controls["real"].items():
        real = of_controls(metrics)
        body.append([
            names[rule], measured(real, "structure_accuracy"), measured(real, "second_accuracy"),
            linked(at_least("d_steps", real), real), measured(real, "frechet"),
        ])  # fmt: skip
    header = ["data", "accepted by the parser", "by the second parser", "D-Steps", "Fréchet"]
    return f"{words.REAL}\n{table(header, body)}"


def parameters_section(published: dict, records: list[Record]) -> str:
    """Table 5, for the MNIST scenes and the Arrow Room."""
    body = []
    for row in COUNTED:
        paper, lite = (RECIPES[recipe_name(row, *of)].model for of in (("mnist10", ""), ("mnist4", LITE)))
        rooms = RECIPES.get(f"{STEMS[row]}-arrow")
        body.append([
            row, published_count(row, published["mnist_4"]), millions(paper), millions(lite),
            published_count(row, published["arrow_room"]), millions(rooms.model) if rooms else "–",
        ])  # fmt: skip
    header = ["model, millions", "MNIST, published", "ours, the paper's size", "ours, lite, MNIST-4",
              "Arrow Room, published", "ours, the paper's size"]  # fmt: skip
    return f"{words.TABLE_5}\n{table(header, body)}"


def published_count(row: str, column: dict[str, float]) -> str:
    """Of table 5, in millions; a dash for what it does not count."""
    return number(column[row]) if row in column else "–"


def millions(config: Config) -> str:
    """Parameters of a model of that configuration, in millions."""
    return f"{count(config) / 1e6:.2f}"


def count(config: Config) -> int:
    """Parameters of a model of that configuration."""
    model: nn.Module = MODELS[type(config)](config)
    return sum(parameter.numel() for parameter in model.parameters())


def figure_4_section(records: list[Record]) -> str:
    """The picture, and its numbers."""
    body = []
    for model, by_beta in (pictures.BETAS | pictures.BETAS_TEN).items():
        for beta, name in by_beta.items():
            runs = runs_of(name, records)
            accuracy = cell(runs, "structure_accuracy")
            body.append([model, number(beta), accuracy, cell(runs, "likelihood", 4)])
    header = ["model", "beta", "S-Acc", "LL"]
    shown = f"{pictures.figure('figure_4', words.ALT_FIGURE_4)}\n{table(header, body)}"
    return f"{words.FIGURE_4}\n{shown}\n{by_beta_said(records)}"


def by_beta_said(records: list[Record]) -> str:
    """What a larger beta did to each of our models: all seeds of the smallest beta against all of the largest run."""
    said = []
    for model, by_beta in (pictures.BETAS | pictures.BETAS_TEN).items():
        ends = [runs for name in by_beta.values() if (runs := runs_of(name, records))]
        if len(ends) > 1:
            structure, likelihood = (moved(reach(ends[0]), reach(ends[-1])) for reach in (structures, likelihoods))
            once = words.ONCE if len(ends[0]) == len(ends[-1]) == 1 else ""
            said.append(words.BY_BETA.format(model=model, structure=structure, likelihood=likelihood, once=once))
    return "\n".join(said) + "\n" if said else ""


def structures(runs: list[Record]) -> tuple[float, float]:
    """From the lowest end of these runs' intervals of structure accuracy to the highest."""
    found = [run["metrics"] for run in runs]
    return min(m["structure_low"] for m in found), max(m["structure_high"] for m in found)


def likelihoods(runs: list[Record]) -> tuple[float, float]:
    """The same of their likelihoods: 95 % intervals of a mean."""
    found = [(run["metrics"]["likelihood"], Z95 * run["metrics"]["likelihood_error"]) for run in runs]
    return min(value - reach for value, reach in found), max(value + reach for value, reach in found)


def moved(first: tuple[float, float], last: tuple[float, float]) -> str:
    """Has a number risen or fallen by more than the two intervals allow?"""
    if last[0] > first[1]:
        return words.RISES
    return words.FALLS if last[1] < first[0] else words.SAME


def second_section(records: list[Record]) -> str:
    """Two parsers on the same samples."""
    both = [r for r in records if {"structure_accuracy", "second_accuracy"} <= r["metrics"].keys()]
    shares = {r["file"]: [r["metrics"][f"{judge}_accuracy"] for judge in ("structure", "second")] for r in both}
    gaps = {file: round(second - first, 5) for file, (first, second) in shares.items()}
    body = [
        [f"`{r['recipe']}`", str(r["seed"]), linked(f"{r['metrics']['structure_accuracy']:.3f}", r),
         linked(f"{r['metrics']['second_accuracy']:.3f}", r), f"{gaps[r['file']]:+.3f}"]
        for r in both
    ]  # fmt: skip
    header = ["run", "seed", "the parser", "the second", "difference"]
    if not both:
        return f"{words.SECOND}\n{NOT_RUN}\n"
    far = [f"`{r['recipe']}` by {abs(gaps[r['file']]):.3f}" for r in both if not abs(gaps[r["file"]]) <= words.A_POINT]
    said = words.AGREE if not far else words.DISAGREE.format(far=", ".join(far))
    said = f"Largest difference: {max(map(abs, gaps.values())):.3f}, over {len(both)} runs. {said}\n"
    return f"{words.SECOND}\n{said}\n{folded(words.ALL_RUNS, table(header, body))}"


def relaxed_section(records: list[Record]) -> str:
    """Likelihoods by hard presence, and what relaxed presence changes."""
    both = [r for r in records if "relaxed_difference" in r["metrics"]]
    body = [[f"`{r['recipe']}`", str(r["seed"]), measured(r, "likelihood", 4), relaxed(r)] for r in both]
    if not both:
        return f"{words.RELAXED}\n{NOT_RUN}\n"
    header = ["run", "seed", "hard", "relaxed less hard"]
    differences = sorted(r["metrics"]["relaxed_difference"] for r in both)
    ends = (f"{differences[place]:+,.0f}" for place in (0, len(both) // 2, -1))
    said = words.BETWEEN.format(*ends)
    return f"{words.RELAXED}\n{said}\n{folded(words.ALL_RUNS, table(header, body))}"


def page(records: list[Record], again: list[Record], published: dict, controls: dict) -> str:
    """The page's text; `again` are `load_again`'s."""
    gnm = published["gnm"]
    return "\n".join([
        words.INTRODUCTION, words.HOW_TO_READ, controls_section(controls), tables_section(gnm, records),
        figure_4_section(records), seen.section(records, controls),
        parameters_section(gnm["table_5_parameters_millions"], records),
        few.section(records, controls), seeds.section(records, again, controls), second_section(records),
        relaxed_section(records), words.DIFFERENCES,
    ])  # fmt: skip


def current_page() -> str:
    """The page as the files in data/ say it should be."""
    read = (json.loads(path.read_text(encoding="utf-8")) for path in (PUBLISHED, CONTROLS))
    return page(load_records(), load_again(), *read)


def main() -> int:
    """Write the page and its pictures."""
    write_page(PAGE, current_page())
    pictures.draw(load_records(), json.loads(CONTROLS.read_text(encoding="utf-8")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
