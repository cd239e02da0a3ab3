"""Writes book/representations.md from the run records: `python -m scripts.pages.representations_page`.

Measures nothing. A number reaches the page only from data/results/ or data/published.json.
"""

import json

from scripts.pages import representations_words as words
from scripts.pages.cells import at_least, cell, lines, linked, measured, steps
from scripts.pages.markdown import number, table, write_page
from scripts.pages.records import CONTROLS, PUBLISHED, RECORDS, Record, load_records, of_controls, runs_of
from scripts.pages.results_words import DATASETS
from scripts.toc import ROOT

FIDELITY = RECORDS / "arrow_room_fidelity.json"
JUDGE = ROOT / "data" / "parsers" / "parser-arrow-room.json"
PAGE = ROOT / "book" / "representations.md"
MODELS = {"GNM": "gnm", "SPACE": "space"}
RULES = {"mnist_4": "mnist4", "mnist_10": "mnist10"}
TABLE_4 = {
    "AP 0.5": "ap50", "AP 0.5 to 0.95": "ap50_95", "*z*_what": "what_class", "neighbours": "what_class_neighbours",
    "objects": "count_mean", "right number": "count_right",
}  # fmt: skip
PARTS = {
    "four solids": "structure_count", "shapes": "structure_shapes", "material": "structure_material",
    "nearest": "structure_nearest", "pointing": "structure_pointing",
}  # fmt: skip
SEEN = {
    "objects": "count_mean", "AP 0.5": "ap50", "covered: solids": "layers_solids", "ground": "layers_ground",
    "behind": "layers_behind",
}  # fmt: skip
KNOWN = {"shape": "what_shape", "colour": "what_colour", "material": "what_metal"}
SUCCESSOR = {"GNM": "gnm", "successor": "successor"}
IMAGINED = {
    "*t*": "structure_true_accept", "second": "second_accuracy", "spread": "structure_spread", "Fréchet": "frechet",
}  # fmt: skip
ARROW, PAPER_ARROW = "gnm-arrow-lite", "gnm-arrow"
CURRICULUM = {"with": "gnm-arrow-short", "without": "gnm-arrow-short-bare"}


def cells(name: str, columns: dict[str, str], records: list[Record]) -> list[str]:
    """Our numbers of a recipe."""
    runs = runs_of(name, records)
    return [cell(runs, key) for key in columns.values()]


def file_number(value: float) -> str:
    """A number of the fidelity file, that leads to it."""
    shown = str(value) if isinstance(value, int) else number(value, 2)
    return f"[{shown}](../data/results/{FIDELITY.name})"


def table_4(published: dict, records: list[Record]) -> str:
    """GNM against SPACE."""
    parts = [words.TABLE_4]
    theirs = ("AP 0.5", "AP 0.5 to 0.95", "*z*_what")
    for dataset, rule in RULES.items():
        body = []
        for row, stem in MODELS.items():
            shown = dict(zip(theirs, map(number, published[dataset][row]), strict=True))
            body += lines(row, TABLE_4, shown, cells(f"{stem}-{rule}-lite", TABLE_4, records))
        if runs_of(staged := f"gnm-staged-{rule}", records):
            body += lines("GNM, in stages", TABLE_4, {}, cells(staged, TABLE_4, records))
        parts += [f"### {DATASETS[dataset]}\n", table(["model", *TABLE_4], body)]
    return "\n".join(parts)


def judge_number(value: float) -> str:
    """A number of the parser of rooms, that leads to its file."""
    return f"[{value:.3f}](../data/parsers/{JUDGE.name})"


def rooms(published: dict, records: list[Record], fidelity: dict[str, float], judge: dict[str, float]) -> str:
    """The Arrow Room."""
    wrong = max(value for name, value in judge.items() if name.startswith("false_accept"))
    said = {name: file_number(value) for name, value in fidelity.items()}
    said |= {"accepts": judge_number(judge["true_accept"]), "broken": judge_number(wrong)}
    lite, paper = (runs_of(name, records) for name in (ARROW, PAPER_ARROW))
    first = [
        [
            size,
            *(cell(runs, key) for key in ("structure_accuracy", "structure_true_accept", "swept_accuracy")),
        ]
        for size, runs in (("lite", lite), ("the paper's", paper))
    ]  # fmt: skip
    theirs = number(published["arrow_room"]["GNM"][0])
    return "\n".join([
        words.ROOMS.format(alt=words.ALT_ROOMS, **said),
        table(["size", "S-Acc, ours", "*t*", "swept", "S-Acc, published"],
              [[*first[0], "–"], [*first[1], theirs]]),
        "The parts, and what is seen and known, of the lite model:\n",
        table(list(PARTS), [cells(ARROW, PARTS, records)]),
        table([*SEEN, *KNOWN], [cells(ARROW, SEEN | KNOWN, records)]),
        words.CURRICULUM,
        table(["curriculum", *SEEN], [[how, *cells(name, SEEN, records)] for how, name in CURRICULUM.items()]),
    ])  # fmt: skip


def successor(records: list[Record], controls: dict) -> str:
    """GNM beside the transformer over its tokens, and real scenes above both."""
    parts = [words.SUCCESSOR]
    for dataset, rule in RULES.items():
        real = of_controls(controls["real"][rule])
        reals = [cell([real], key) for key in IMAGINED.values()]
        steps_of_real = linked(at_least("d_steps", real), real)
        body = [["real scenes", measured(real, "structure_accuracy"), "–", *reals[1:], steps_of_real]]
        for row, stem in SUCCESSOR.items():
            runs = runs_of(f"{stem}-{rule}-lite", records)
            accuracy = cell(runs, "structure_accuracy")
            body.append([row, accuracy, *cells(f"{stem}-{rule}-lite", IMAGINED, records), steps(runs)])
        parts += [f"### {DATASETS[dataset]}, imagined\n", table(["model", "S-Acc", *IMAGINED, "D-Steps"], body)]
    return "\n".join(parts)


def page(records: list[Record], published: dict, fidelity: dict, controls: dict, judge: dict[str, float]) -> str:
    """The page's text."""
    gnm = published["gnm"]
    seen = table_4(gnm["table_4_representation"], records)
    parts = [seen, rooms(gnm["table_1"], records, fidelity, judge), successor(records, controls)]
    return "\n".join([words.INTRODUCTION, *parts])


def current_page() -> str:
    """The page as the files in data/ say it should be."""
    published, fidelity, controls, judge = (
        json.loads(path.read_text(encoding="utf-8")) for path in (PUBLISHED, FIDELITY, CONTROLS, JUDGE)
    )
    return page(load_records(), published, fidelity, controls, judge["metrics"])


if __name__ == "__main__":
    write_page(PAGE, current_page())
