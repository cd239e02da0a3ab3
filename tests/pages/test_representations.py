"""The page on boxes, codes and rooms: every number is from a record, and says which."""

import json
import math
import re

from neurosym_lite.training.recipes import RECIPES
from scripts.pages import representations_page as representations
from scripts.pages.cells import NOT_RUN
from scripts.pages.records import PUBLISHED, load_records
from tests.pages.test_gnm_experiments import controls, nowhere

# what has a digit in its name: data sets, tables and measures, symbols, files
NAMES = re.compile(
    r"MNIST-4|MNIST-10|[Tt]able 4|chapter \d|AP 0\.5(?: to 0\.95)?|\(\.\./data/[^)]*\)|jiang2020gnm|lin2020space"
    r"|128 pixels|at 64"
)


def published() -> dict:
    return json.loads(PUBLISHED.read_text(encoding="utf-8"))


def test_the_page_is_what_the_records_say() -> None:
    assert representations.PAGE.read_text(encoding="utf-8") == representations.current_page(), "run `make results`"


def test_no_number_is_typed(spread_of_nan) -> None:
    records = [record | {"metrics": nowhere(record["metrics"]), "seed": math.nan} for record in load_records()]
    fidelity = nowhere(json.loads(representations.FIDELITY.read_text(encoding="utf-8")))
    judge = nowhere(json.loads(representations.JUDGE.read_text(encoding="utf-8"))["metrics"])
    text = representations.page(records, nowhere(published()), fidelity, nowhere(controls()), judge)
    left = [line for line in NAMES.sub("", text).splitlines() if re.search(r"\d", line)]
    assert left == [] and "nan" in text


def test_every_row_is_a_recipe_and_every_number_leads_to_a_file() -> None:
    stems, rules = representations.MODELS.values(), representations.RULES.values()
    names = [f"{stem}-{rule}-lite" for stem in stems for rule in rules]
    names += [representations.ARROW, representations.PAPER_ARROW, *representations.CURRICULUM.values()]
    assert set(names) <= RECIPES.keys()
    targets = re.findall(r"\(\.\./data/([^)]+)\)", representations.PAGE.read_text(encoding="utf-8"))
    assert targets and all((representations.ROOT / "data" / target).is_file() for target in targets)


def test_a_column_is_a_metric_and_a_row_without_a_run_says_so() -> None:
    record = {"recipe": "space-mnist4-lite", "seed": 0, "file": "a.json", "metrics": {"ap50": 0.5, "what_class": 0.25}}
    shown = representations.cells("space-mnist4-lite", representations.TABLE_4, [record])
    assert shown[0] == "[0.5](../data/results/a.json)" and shown[2] == "[0.25](../data/results/a.json)"
    assert shown[1] == shown[3] == NOT_RUN
