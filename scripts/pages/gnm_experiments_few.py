"""The page's section on training sets of finite size: from how many scenes the rule is learned, and what is copied."""

from neurosym_lite.training.recipes import RECIPES
from scripts.pages import gnm_experiments_pictures as pictures
from scripts.pages import gnm_experiments_words as words
from scripts.pages.cells import NOT_RUN, cell, measured, steps
from scripts.pages.gnm_experiments import recipe_name, was_copied
from scripts.pages.markdown import listed, number, table
from scripts.pages.records import Record, of_controls, runs_of


def section(records: list[Record], controls: dict) -> str:
    """What a model makes of a training set of finite size, by its size."""
    body = []
    for scenes, name in pictures.SETS.items():
        near = controls["copied"].get(name)
        lacking = words.NOT_MEASURED if runs_of(name, records) else NOT_RUN
        copies = measured(of_controls(near), "copied", 2) if near else lacking
        body.append([number(scenes), *_cells(name, records), copies])
    body.append([words.NO_SET, *_cells(recipe_name("GNM", pictures.RULE), records), "–"])
    shown = f"{pictures.figure('scenes', words.ALT_FEW)}\n" if pictures.has_scenes(records) else ""
    said = f"{lowest_said(records)}{copies_said(controls['copied'])}"
    _, prior, together = RECIPES[recipe_name("GNM", pictures.RULE)].phases
    intro = words.FEW.format(bank=number(prior.bank), steps=number(together.steps))
    return f"{intro}\n{shown}{table(words.FEW_COLUMNS, body)}\n{said}"


def lowest_said(records: list[Record]) -> str:
    """The sets of the lowest structure accuracy, within its error, if neither the smallest nor no fixed set is one."""
    runs = {number(size): runs_of(name, records) for size, name in pictures.SETS.items()}
    runs[words.NO_SET] = runs_of(recipe_name("GNM", pictures.RULE), records)
    found = {size: [run["metrics"] for run in of] for size, of in runs.items() if of}
    lowest = min((m["structure_high"] for of in found.values() for m in of), default=0)
    least = [size for size, of in found.items() if any(m["structure_low"] <= lowest for m in of)]
    between = least and not {next(iter(found)), words.NO_SET} & set(least)
    return f"{words.LEAST.format(sizes=listed(least))}\n\n" if between else ""


def copies_said(copied: dict) -> str:
    """Which training sets were learned by heart, in part or not, and a picture of the first and the last."""
    near = {number(size): copied[name] for size, name in pictures.SETS.items() if name in copied}
    by_heart = [size for size, m in near.items() if m["copied"] > words.BY_HEART_ABOVE]
    in_part = [size for size, m in near.items() if was_copied(m) and size not in by_heart]
    not_copied = [size for size, m in near.items() if not was_copied(m)]
    all_of_them = ((words.BY_HEART, by_heart), (words.IN_PART, in_part), (words.NO_COPIES, not_copied))
    said = [text.format(sizes=listed(sizes)) for text, sizes in all_of_them if sizes]
    return f"{' '.join(said)}\n\n{pictures.figure('copies', words.ALT_COPIES, '_static')}" if said else ""


def _cells(name: str, records: list[Record]) -> list[str]:
    """Our cells of a row of that table."""
    runs = runs_of(name, records)
    keys = ("structure_accuracy", "swept_accuracy", "structure_spread", "frechet")
    return [*(cell(runs, key) for key in keys), cell(runs, "likelihood", 4), steps(runs)]
