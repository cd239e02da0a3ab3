"""Writes book/transfer.md from the run records: `python -m scripts.pages.transfer_page`.

Measures nothing. A number reaches the page only from data/results/, data/published.json or a configuration.
"""

import json
import math
from collections.abc import Iterable

from neurosym_lite.evaluation.transfer import IMAGES, SAMPLES
from neurosym_lite.models.dood_config import PAPER_DOOD
from neurosym_lite.training.recipes import RECIPES
from neurosym_lite.training.transfer_recipes import FLOOR, SETS, STEPS
from scripts.pages import transfer as found
from scripts.pages import transfer_words as words
from scripts.pages.cells import NOT_RUN, cell, linked
from scripts.pages.markdown import number, spread, table, write_page
from scripts.pages.records import PUBLISHED, RECORDS, Record, load_records, runs_of
from scripts.pages.results_words import DATASETS
from scripts.pages.transfer import (
    ABLATED,
    CEILING,
    CELLS,
    ERROR,
    FIGURE_4,
    HOME,
    LIKELIHOOD,
    MOVED,
    SIGN,
    STROKES,
    Wins,
    recipe_name,
)
from scripts.toc import ROOT

PAGE = ROOT / "book" / "transfer.md"
CONTROLS = RECORDS / "transfer_controls.json"
MOVED_SHARE = RECIPES[recipe_name(MOVED["DooD"], HOME)].data.moved


def settings() -> dict[str, float]:
    """Numbers of the recipes that the words ask for."""
    model = RECIPES[recipe_name("dood", HOME)].model
    return {"steps": STEPS, "floor": FLOOR, "samples": SAMPLES, "images": IMAGES, "most": model.strokes}


def row(kind: str, source: str, measure: str, records: list[Record]) -> list[str]:
    """Cells of a model that learned one set, a column a set that it was tried on."""
    runs = runs_of(recipe_name(kind, source), records)
    return [cell(runs, f"{measure}_{target}") for target in SETS]


def on_sets(*first: str) -> list[str]:
    """A table's header: what the rows are, then the sets."""
    return [*first, *(DATASETS[name] for name in SETS)]


# figure 4


def matrix(kind: str, records: list[Record]) -> str:
    """Likelihoods of a model, with the ceiling of each run."""
    body = []
    for source in SETS:
        runs = runs_of(recipe_name(kind, source), records)
        body.append([DATASETS[source], *row(kind, source, LIKELIHOOD, records), cell(runs, CEILING)])
    return table([*on_sets("trained on"), "ceiling"], body)


def both(measure: str, records: list[Record]) -> str:
    """One measure of the three models, a row a model and set."""
    body = [
        [model, DATASETS[source], *row(kind, source, measure, records)]
        for model, kind in FIGURE_4.items()
        for source in SETS
    ]
    return table(on_sets("model", "trained on"), body)


def standard_error(records: list[Record]) -> str:
    """The largest one in the three matrices."""
    names = {recipe_name(kind, source) for kind in FIGURE_4.values() for source in SETS}
    errors = [
        error
        for record in records
        if record["recipe"] in names
        for key, error in record["metrics"].items()
        if key.startswith("likelihood_error_on_")
    ]
    return words.STANDARD_ERROR.format(most=number(max(errors), 2)) if errors else ""


def wins_table(rivals: dict[str, str], records: list[Record]) -> str:
    """DooD against each of them."""
    header = ["DooD against", *(f"{where}, {name}" for where in ("other sets", "own set")
                                for name in ("likelihood", "error"))]  # fmt: skip
    body = [
        [model, *(str(found.wins(kind, measure, own, records)) for own in (False, True) for measure in SIGN)]
        for model, kind in rivals.items()
    ]
    return table(header, body)


def claims(records: list[Record]) -> str:
    """The paper's sentences on figure 4, and whether they hold of ours."""
    rivals = {model: kind for model, kind in FIGURE_4.items() if kind != "dood"}
    said = [words.CLAIMS]
    for key, own in (("other", False), ("own", True)):
        got = {model: found.wins(kind, LIKELIHOOD, own, records) for model, kind in rivals.items()}
        whole = len(SETS) if own else len(CELLS) - len(SETS)
        detail = ", ".join(f"{count} against {model}" for model, count in got.items())
        said.append(_claim(key, [c.ahead == c.of for c in got.values() if c.of], whole, got.values(), detail))
    got = {model: found.diagonal(kind, records) for model, kind in FIGURE_4.items()}
    detail = ", ".join(f"{model} {count}" for model, count in got.items())
    said.append(_claim("diagonal", [c.ahead == c.of for c in got.values() if c.of], len(SETS), got.values(), detail))
    orders = {model: found.worst_sources(kind, records) for model, kind in FIGURE_4.items()}
    held = [set(order[:2]) == {"mnist", "omniglot"} for order in orders.values() if order]
    detail = "; ".join(f"{m}, the worst first: {', '.join(DATASETS[s] for s in o) or NOT_RUN}"
                       for m, o in orders.items())  # fmt: skip
    counts = [Wins(0, len(order)) for order in orders.values()]
    said.append(_claim("sources", held, len(SETS), counts, detail))
    return "\n".join(said) + "\n"


def _claim(key: str, held: list[bool], whole: int, counts: Iterable[Wins], detail: str) -> str:
    """One line: fails as soon as one model fails, holds when all is run."""
    verdict = words.HOLDS if all(count.of == whole for count in counts) else words.UNDECIDED
    return f"- {words.SAID[key]}: {verdict if all(held) else words.FAILS} ({detail})."


# the blank page


def blank_section(controls: dict, records: list[Record]) -> str:
    """The first seed of each, and which of them are worse than silence."""
    body, below, measured = [], [], 0
    for model, kind in FIGURE_4.items():
        for source in SETS:
            runs = [run for run in runs_of(recipe_name(kind, source), records) if CEILING in run["metrics"]][:1]
            ways = {target: found.way(run, target, controls[target]["ink"]) for run in runs for target in SETS}
            measured += len(ways)
            shown = [linked(f"{share:.2f}", runs[0]) for share in ways.values()] or [NOT_RUN] * len(SETS)
            body.append([model, DATASETS[source], *shown])
            below += [f"{model}, {pair(source, target)}" for target, share in ways.items() if share < 0]
    said = words.BELOW.format(cells="; ".join(below)) if below else words.NONE_BELOW if measured else ""
    shown = table(on_sets("model", "trained on"), body)
    return "\n".join([words.BLANK, shown, said])


def pair(source: str, target: str) -> str:
    """A cell by its name."""
    return f"{DATASETS[source]} to {DATASETS[target]}"


# figure 3 and moved digits


def variants(kinds: dict[str, str], measure: str, records: list[Record], ceiling: bool = False) -> str:
    """Models that learned MNIST."""
    body = []
    for name, kind in kinds.items():
        runs = runs_of(recipe_name(kind, HOME), records)
        body.append([name, *row(kind, HOME, measure, records)])
        body[-1] += [cell(runs, CEILING)] if ceiling else []
    return table([*on_sets("trained on MNIST"), *(["ceiling"] if ceiling else [])], body)


def others(measure: str, records: list[Record]) -> str:
    """Means over the four sets that were not learned, the set that was learned by column."""
    body = []
    for name, kind in ({"DooD": "dood"} | ABLATED).items():
        cells = []
        for source in SETS:
            runs = runs_of(recipe_name(kind, source), records)
            means = [(run, found.elsewhere(kind, source, measure, [run])) for run in runs]
            cells.append(cell([run | {"metrics": {"mean": mean}} for run, mean in means if mean is not None], "mean"))
        body.append([name, *cells])
    return table(on_sets("model, trained on"), body)


def ablations_section(records: list[Record]) -> str:
    """Figure 3's models."""
    kinds = {"DooD": "dood"} | ABLATED
    runs = {name: runs_of(recipe_name(kind, HOME), records) for name, kind in kinds.items()}
    at_most, after_all = (
        ", ".join(f"{name} {cell(got, key)}" for name, got in runs.items())
        for key in ("parts_at_most", "relative_l1_all")
    )
    return "\n".join([
        words.ABLATIONS, variants(kinds, LIKELIHOOD, records, ceiling=True),
        words.ABLATIONS_ERROR, variants(kinds, ERROR, records),
        words.ABLATIONS_STROKES, variants(kinds, STROKES, records),
        words.AT_MOST.format(shares=at_most, errors=after_all),
        words.FIGURE_3,
        words.ABLATIONS_ELSEWHERE, others(LIKELIHOOD, records), words.ABLATIONS_ELSEWHERE_ERROR, others(ERROR, records),
        words.ABLATIONS_WINS, wins_table(ABLATED, records),
    ])  # fmt: skip


def moved_section(records: list[Record]) -> str:
    """MNIST as it was written against MNIST with moved digits."""
    triples = [(model, FIGURE_4[model], moved) for model, moved in MOVED.items()]
    kinds = {}
    for model, unmoved, moved in triples:
        kinds |= {f"{model}, as written": unmoved, f"{model}, moved": moved}
    return "\n".join([
        words.MOVED.format(share=MOVED_SHARE), variants(kinds, LIKELIHOOD, records, ceiling=True),
        variants(kinds, ERROR, records), variants(kinds, STROKES, records),
        *(words.MOVED_SAID.format(model=m, gains=gains(moved, unmoved, records)) for m, unmoved, moved in triples),
        words.MOVED_RIVAL.format(gains=gains(MOVED["Difference-AIR"], "dood", records)),
    ])  # fmt: skip


def gains(kind: str, rival: str, records: list[Record]) -> str:
    """On which sets a model that learned MNIST is ahead of another one."""
    said = []
    for measure, better, worse in ((LIKELIHOOD, words.HIGHER, words.LOWER), (ERROR, words.LESS, words.MORE)):
        got = found.compared(kind, rival, measure, [(HOME, target) for target in SETS], records)
        for verdict, wanted in ((better, True), (worse, False)):
            names = [DATASETS[target] for _, target, ahead in got if ahead == wanted]
            said += [f"{verdict} {', '.join(names)}"] if names else []
    return "; ".join(said) or NOT_RUN


# published


def published_section(figure: dict) -> str:
    """Figure 4 at 50 x 50, in a table of its own."""
    pixels = PAPER_DOOD.image_size**2
    best, ours = (-math.log(2 * floor) for floor in (PAPER_DOOD.scale_floor, FLOOR))
    body = [
        [model, DATASETS[source], *(spread(pair) for pair in figure[model][source])]
        for model in ("DooD", "Difference-AIR")
        for source in figure["sets"]
    ]
    ahead = {(s, t): mine[0] > theirs[0] for s in figure["sets"]
             for t, mine, theirs in zip(figure["sets"], figure["DooD"][s], figure["Difference-AIR"][s], strict=True)
             }  # fmt: skip
    own = {source: ahead[source, source] for source in figure["sets"]}
    behind = [DATASETS[source] for source, first in own.items() if not first]
    return "\n".join([
        words.PUBLISHED.format(floor=PAPER_DOOD.scale_floor, ceiling=number(best * pixels),
                               ceiling_pixel=number(best, 3), ours=number(ours, 3)),
        table(on_sets("model", "trained on"), body),
        words.PUBLISHED_COUNT.format(
            other=Wins(sum(ahead.values()) - sum(own.values()), len(ahead) - len(own)),
            own=Wins(sum(own.values()), len(own)), exceptions=", ".join(behind) or words.NO_EXCEPTION,
        ),
        words.PUBLISHED_VARIANTS,
        table(on_sets("variant"), [[name, *map(number, row)] for name, row in figure["trained_on_mnist"].items()]),
    ])  # fmt: skip


# what is missing


def data_section(controls: dict) -> str:
    """The sets."""
    header = ["set", "to learn from", "classes of it", "to be tried on"]
    link = {"file": CONTROLS.name}
    body = [
        [DATASETS[name], *(linked(number(sizes[key], 6), link) for key in ("train", "train_classes", "test"))]
        for name, sizes in controls.items()
    ]
    return f"{words.DATA}\n{table(header, body)}"


def shown_recipes() -> list[str]:
    """All that stand on the page."""
    kinds = [*FIGURE_4.values(), *ABLATED.values()]
    whole = [recipe_name(kind, source) for kind in kinds for source in SETS]
    return whole + [recipe_name(kind, HOME) for kind in MOVED.values()]


def short_section(records: list[Record]) -> str:
    """What was not run, and where DooD is behind."""
    runs = {name: runs_of(name, records) for name in shown_recipes()}
    missing = [f"`{name}`" for name, got in runs.items() if not got]
    several = [f"`{name}`" for name, got in runs.items() if len(got) > 1]
    said = [f"{words.SHORT}\n", words.MISSING.format(names=", ".join(missing)) if missing else words.COMPLETE]
    said.append(words.ONE_SEED.format(names=", ".join(several)) if several else words.NO_SEEDS)
    for model, kind in FIGURE_4.items():
        got = found.compared("dood", kind, LIKELIHOOD, CELLS, records) if kind != "dood" else []
        lost = [pair(source, target) for source, target, ahead in got if not ahead]
        if lost:
            said.append(words.BEHIND.format(rival=model, cells=", ".join(lost)))
        elif got:
            said.append(words.NEVER_BEHIND.format(rival=model))
    errors = {target: found.value("dood", HOME, ERROR, target, records) for target in SETS}
    if None not in errors.values():
        home = errors.pop(HOME)
        near, far = min(errors.values()), max(errors.values())
        said.append(words.LOST.format(home=number(home, 2), near=number(near, 2), far=number(far, 2)))
    return "".join(said)


def page(records: list[Record], figure: dict, controls: dict) -> str:
    """The page's text."""
    matrices = [part for model, kind in FIGURE_4.items() for part in (f"### {model}\n", matrix(kind, records))]
    return "\n".join([
        words.INTRODUCTION, words.HOW.format(**settings()),
        words.LIKELIHOOD, *matrices, standard_error(records),
        words.WINS, wins_table({m: k for m, k in FIGURE_4.items() if k != "dood"}, records), claims(records),
        blank_section(controls, records),
        words.MATRIX, words.ERROR, both(ERROR, records), words.STROKES, both(STROKES, records),
        ablations_section(records), moved_section(records),
        published_section(figure), data_section(controls), short_section(records),
    ])  # fmt: skip


def current_page() -> str:
    """The page as the files in data/ say it should be."""
    published, controls = (json.loads(path.read_text(encoding="utf-8")) for path in (PUBLISHED, CONTROLS))
    return page(load_records(), published["dood"]["figure_4_log_likelihood_nats_at_50x50"], controls)


if __name__ == "__main__":
    write_page(PAGE, current_page())
