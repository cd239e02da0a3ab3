"""Writes book/gnm_experiments.md and its pictures from the run records: `python -m scripts.pages.gnm_experiments_page`.

Measures nothing. A number reaches the page only from data/results/, data/published.json or a configuration.
"""

import json
import sys
from itertools import groupby

from torch import nn

from neurosym_lite.evaluation.discriminability import TOLD_APART
from neurosym_lite.training.recipe import MODELS, Config
from neurosym_lite.training.recipes import RECIPES
from scripts.pages import gnm_experiments as found
from scripts.pages import gnm_experiments_pictures as pictures
from scripts.pages import gnm_experiments_words as words
from scripts.pages.cells import NOT_RUN, accepted, bound, cell, linked, plain, relaxed, share, steps
from scripts.pages.gnm_experiments import LITE, RULES, STEMS, recipe_name
from scripts.pages.markdown import number, published_number, table, write_page
from scripts.pages.records import PUBLISHED, RECORDS, Record, load_records, runs_of
from scripts.pages.results_words import DATASETS, HEADINGS
from scripts.toc import ROOT

PAGE = ROOT / "book" / "gnm_experiments.md"
CONTROLS = RECORDS / "controls.json"
# rows of table 5, and below them those of ours that the paper does not count
COUNTED = ("GNM", "GENESIS", "ConvDRAW", "VAE", "GNM-Gaussian", "GNM-NoMLP", "ConvDRAW-MLP")
COLUMNS = ("S-Acc", "*t*", "D-Steps", "LL", "ESS", "Fréchet")


def measured(row: str, rule: str, records: list[Record]) -> list[str]:
    """Our cells of a row."""
    runs = runs_of(recipe_name(row, rule), records)
    return [
        cell(runs, "structure_accuracy", share),
        cell(runs, "structure_true_accept", plain("structure_true_accept")),
        steps(runs),
        cell(runs, "likelihood", bound, 4),
        cell(runs, "likelihood_effective", plain("likelihood_effective")),
        cell(runs, "frechet", plain("frechet")),
    ]


def scenes_table(rows: list[str], published: dict, rule: str, records: list[Record]) -> str:
    """Published columns first, then ours."""
    columns = published["columns"]
    header = ["model", *(f"{HEADINGS[c]}, published" for c in columns), *(f"{name}, ours" for name in COLUMNS)]
    values = published.get(next(key for key, name in RULES.items() if name == rule), {})
    body = []
    for row in rows:
        theirs = [published_number(v, c) for v, c in zip(values[row], columns, strict=True)] if row in values else []
        body.append([row, *(theirs or ["–"] * len(columns)), *measured(row, rule, records)])
    return table(header, body)


def verdict(rule: str, rows: list[str], records: list[Record]) -> str:
    """Does what the paper's order says hold of ours? By measure, with the reason where it does not."""
    lines = [f"{words.PUBLISHED_ORDER}\n"]
    for key, (name, claim, wanted, place) in words.CLAIMS.items():
        order = found.ranking(rows, rule, key, records)
        said, held = words.UNDECIDED, found.standing(wanted, place, rows, rule, key, records)
        if held and not any(held):
            said = words.FAILS  # whatever the rest will be
        elif held and len(order) == len(rows):
            said = words.HOLDS if all(held) else words.DEPENDS
        why = words.WHY.get(key, "") if said in (words.FAILS, words.DEPENDS) else ""
        lines.append(f"- {name}: {_in_order(order) or NOT_RUN}. {claim}: {said}. {why}".rstrip())
    return "\n".join(lines) + "\n"


def _in_order(order: list[tuple[str, float]]) -> str:
    """Names, the highest first, equal ones joined by an equals sign."""
    groups = (" = ".join(row for row, _ in group) for _, group in groupby(order, key=lambda pair: pair[1]))
    return " > ".join(groups)


def paper_size(names: list[str], rule: str, records: list[Record]) -> str:
    """What is there at the paper's size."""
    said = []
    for row in names:
        name = recipe_name(row, rule, "")
        if name in RECIPES:
            runs = runs_of(name, records)
            said.append(f"{row} {cell(runs, 'structure_accuracy', share)}")
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
                    parts.append(verdict(rule, rows, records))
                parts.append(paper_size(rows, rule, records))
    return "\n".join(part for part in parts if part)


def controls_section(controls: dict) -> str:
    """Real scenes, where models are measured."""
    names = {rule: DATASETS[dataset] for dataset, rule in RULES.items()}
    link = {"file": CONTROLS.name}
    body = []
    for rule, real in controls["real"].items():
        reached = "≥ " if real["d_steps"] == real["d_steps_cap"] else ""
        body.append([
            names[rule], accepted(real, link), linked(f"{real['second_accuracy']:.3f}", link),
            linked(reached + number(real["d_steps"]), link), linked(number(real["frechet"], 3), link),
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
    header = ["model, millions", "MNIST, published", "ours, the paper's size", "ours, lite",
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


def figure(name: str, alt: str) -> str:
    """A picture of the page."""
    return f"```{{figure}} _static/gnm_experiments/{name}.png\n:name: fig-gnm-{name}\n:alt: {alt}\n```\n"


def figure_4_section(records: list[Record]) -> str:
    """The picture, and its numbers."""
    body = []
    for model, by_beta in pictures.BETAS.items():
        for beta, name in by_beta.items():
            runs = runs_of(name, records)
            accuracy = cell(runs, "structure_accuracy", share)
            body.append([model, number(beta), accuracy, cell(runs, "likelihood", bound, 4)])
    header = ["model", "beta", "S-Acc", "LL"]
    shown = f"{figure('figure_4', words.ALT_FIGURE_4)}\n{table(header, body)}"
    return f"{words.FIGURE_4}\n{shown}\n{by_beta_said(records)}"


def by_beta_said(records: list[Record]) -> str:
    """What a larger beta did to each of our models, the smallest beta against the largest that was run."""
    said = []
    for model, by_beta in pictures.BETAS.items():
        ends = [runs[0]["metrics"] for name in by_beta.values() if (runs := runs_of(name, records))]
        if len(ends) < 2:
            continue
        low, high = ends[0], ends[-1]
        structure = compared(low, high, "structure_low", "structure_high")
        error = 1.96 * (low["likelihood_error"] ** 2 + high["likelihood_error"] ** 2) ** 0.5
        likelihood = words.SAME if abs(high["likelihood"] - low["likelihood"]) <= error else (
            words.RISES if high["likelihood"] > low["likelihood"] else words.FALLS
        )
        said.append(words.BY_BETA.format(model=model, structure=structure, likelihood=likelihood))
    return "\n".join(said) + "\n" if said else ""


def compared(low: dict, high: dict, bottom: str, top: str) -> str:
    """Has it risen or fallen by more than the intervals allow?"""
    if high[bottom] > low[top]:
        return words.RISES
    return words.FALLS if high[top] < low[bottom] else words.SAME


def seen_section(records: list[Record], controls: dict) -> str:
    """What D-Steps see, beside two numbers of the same samples."""
    link, real = {"file": CONTROLS.name}, controls["real"][pictures.RULE]
    body, ends, capped, told = [], [], 0, 0
    reached = "≥ " if real["d_steps"] == real["d_steps_cap"] else ""
    body.append([
        "real scenes", linked(number(real["structure_spread"], 3), link), linked(f"{real['brightness']:.3f}", link),
        linked(reached + number(real["d_steps"]), link),
    ])  # fmt: skip
    for row in words.SEEN:
        name = recipe_name(row, pictures.RULE)
        runs, bright = runs_of(name, records), controls["brightness"].get(name)
        accepts_some = any(run["metrics"]["structure_accuracy"] != 0 for run in runs)
        spread = cell(runs, "structure_spread", plain("structure_spread")) if accepts_some or not runs else "–"
        body.append([row, spread, NOT_RUN if bright is None else linked(f"{bright:.3f}", link), steps(runs)])
        if bright is not None and runs[0]["metrics"]["d_steps"] == runs[0]["metrics"]["d_steps_cap"]:
            capped, told = capped + 1, told + (bright >= TOLD_APART)
        curve = controls["curves"].get(name, [])
        if curve and curve[-1][0] == runs[0]["metrics"]["d_steps_cap"]:
            ends.append(f"{row} {linked(f'{curve[-1][1]:.2f}', link)}")
    header = ["model", "spread of handwriting", "told by one number", "D-Steps"]
    said = words.ALL_TOLD if told == capped else words.SOME_TOLD.format(capped=capped, told=told)
    return f"{words.SEEN_INTRO}\n{table(header, body)}" + (f"\n{said}\n" if capped else "") + (
        f"\n{words.AT_CAP.format(ends=', '.join(ends))}\n" if ends else ""
    )


def few_section(records: list[Record]) -> str:
    """Structure accuracy by size of the training set."""
    body = []
    for scenes, name in pictures.SETS.items():
        runs = runs_of(name, records)
        body.append([number(scenes), cell(runs, "structure_accuracy", share),
                     cell(runs, "structure_true_accept", plain("structure_true_accept")),
                     cell(runs, "frechet", plain("frechet"))])  # fmt: skip
    shown = f"{figure('scenes', words.ALT_FEW)}\n" if pictures.has_scenes(records) else ""
    return f"{words.FEW}\n{shown}{table(['scenes', 'S-Acc', '*t*', 'Fréchet'], body)}"


def second_section(records: list[Record]) -> str:
    """Two parsers on the same samples."""
    both = [r for r in records if {"structure_accuracy", "second_accuracy"} <= r["metrics"].keys()]
    gaps = {r["file"]: r["metrics"]["second_accuracy"] - r["metrics"]["structure_accuracy"] for r in both}
    body = [
        [f"`{r['recipe']}`", str(r["seed"]), linked(f"{r['metrics']['structure_accuracy']:.3f}", r),
         linked(f"{r['metrics']['second_accuracy']:.3f}", r), f"{gaps[r['file']]:+.3f}"]
        for r in both
    ]  # fmt: skip
    header = ["run", "seed", "the parser", "the second", "difference"]
    if not both:
        return f"{words.SECOND}\n{NOT_RUN}\n"
    most = max(map(abs, gaps.values()))
    verdict = words.AGREE if most <= words.A_POINT else words.DISAGREE
    said = f"Largest difference: {most:.3f}, over {len(both)} runs. {verdict}\n"
    return f"{words.SECOND}\n{said}\n{table(header, body)}"


def relaxed_section(records: list[Record]) -> str:
    """Likelihoods by hard presence, and what relaxed presence changes."""
    body = [
        [f"`{r['recipe']}`", str(r["seed"]), bound(r), relaxed(r)]
        for r in records
        if "relaxed_difference" in r["metrics"]
    ]
    if not body:
        return f"{words.RELAXED}\n{NOT_RUN}\n"
    header = ["run", "seed", "hard", "relaxed less hard"]
    return f"{words.RELAXED}\n{table(header, body)}"


def page(records: list[Record], published: dict, controls: dict) -> str:
    """The page's text."""
    gnm = published["gnm"]
    return "\n".join([
        words.INTRODUCTION, words.HOW_TO_READ, controls_section(controls), tables_section(gnm, records),
        figure_4_section(records), seen_section(records, controls),
        parameters_section(gnm["table_5_parameters_millions"], records),
        few_section(records), second_section(records), relaxed_section(records), words.DIFFERENCES,
    ])  # fmt: skip


def current_page() -> str:
    """The page as the files in data/ say it should be."""
    read = (json.loads(path.read_text(encoding="utf-8")) for path in (PUBLISHED, CONTROLS))
    return page(load_records(), *read)


def main() -> int:
    """Write the page and its pictures."""
    write_page(PAGE, current_page())
    pictures.draw(load_records(), json.loads(CONTROLS.read_text(encoding="utf-8")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
