"""The page on DooD's tasks: every number is from a record, and says which."""

import json
import math
import re

from scripts import dood_tasks_page as tasks
from scripts.results_page import NOT_RUN, PUBLISHED, load_records
from tests.test_gnm_experiments import nowhere

# what has a digit in its name, and sizes of pictures
NAMES = re.compile(r"[Tt]able 1|\(\.\./data/[^)]*\)|liang2022dood|lake2015bpl|At 28 pixels|at 50 pixels")


def controls() -> dict:
    return json.loads(tasks.CONTROLS.read_text(encoding="utf-8"))


def test_the_page_is_what_the_records_say() -> None:
    assert tasks.PAGE.read_text(encoding="utf-8") == tasks.current_page(), "run `make results`"


def test_no_number_is_typed() -> None:
    records = [record | {"metrics": nowhere(record["metrics"]), "seed": math.nan} for record in load_records()]
    text = tasks.page(records, nowhere(json.loads(PUBLISHED.read_text(encoding="utf-8"))), nowhere(controls()))
    left = [line for line in NAMES.sub("", text).splitlines() if re.search(r"\d", line)]
    assert left == [] and "nan" in text


def test_every_number_leads_to_a_file() -> None:
    targets = re.findall(r"\(\.\./data/results/([^)]+)\)", tasks.PAGE.read_text(encoding="utf-8"))
    assert len(targets) >= 11
    assert all((tasks.ROOT / "data" / "results" / target).is_file() for target in targets)


def test_a_share_is_shown_in_percent_and_a_missing_one_says_so() -> None:
    metrics = {"one_shot_one_way": 0.9125, "one_shot_one_way_error": 0.0184}
    assert tasks.percent(metrics, "one_shot_one_way", "a.json") == "[91.2](../data/results/a.json) ± 1.8"
    assert tasks.percent(metrics, "one_shot_two_way", "a.json") == NOT_RUN
