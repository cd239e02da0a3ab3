"""Writes data/results/TRAINING.md: the recipes whose run the book still waits for, in the order in which they matter.

The order is that of the recipes in `neurosym_lite/training/recipes.py`; a recipe waits until data/results holds its
run record. Runs that are only compared (the ablations) ship no checkpoint.
"""

from pathlib import Path

from neurosym_lite.training.recipe import Recipe
from neurosym_lite.training.recipes import RECIPES
from neurosym_lite.training.records import RESULTS, record_path

PAGE = RESULTS / "TRAINING.md"


def is_waiting(recipe: Recipe) -> bool:
    """Has the recipe no record yet?"""
    return not record_path(recipe.name).is_file()


def training_list() -> str:
    """The page's text."""
    waiting = [recipe for recipe in RECIPES.values() if is_waiting(recipe)]
    done = [recipe for recipe in RECIPES.values() if not is_waiting(recipe)]
    lines = [
        "# Runs that the book waits for",
        "",
        "In the order in which they matter. Written by `python -m scripts.training_list`; do not edit by hand.",
        "",
    ]
    lines += [f"{n}. {_line(recipe)}" for n, recipe in enumerate(waiting, 1)] or ["None: every recipe has its run."]
    lines += ["", "Each is begun, and gone on with after a stop, by", "", "```bash"]
    lines += ["python -m neurosym_lite train RECIPE --minutes 9 --resume", "```", "", "## Done", ""]
    lines += [f"- `{recipe.name}`" for recipe in done]
    return "\n".join(lines) + "\n"


def _line(recipe: Recipe) -> str:
    glyphs = "" if recipe.data.glyphs == "digits" else f" (needs `data fetch {recipe.data.glyphs}`)"
    return f"`{recipe.name}`: {recipe.about}; {recipe.steps:,} steps{glyphs}"


if __name__ == "__main__":
    Path(PAGE).write_text(training_list())
    print(PAGE)
