"""The page on DooD's tasks: every number is from a record, and says which."""

import json
import math
import re

from scripts.pages import dood_tasks_page as tasks
from scripts.pages.cells import NOT_RUN
from scripts.pages.records import PUBLISHED, load_records
from tests.pages.test_gnm_experiments import nowhere

# what has a digit in its name, sizes of pictures, and settings and counts that the page takes from the code
NAMES = re.compile(
    r"[Tt]able 1|[Ff]igures? [5-8]|chapter 10|Chapter 10|10_tasks|\(\.\./data/[^)]*\)|liang2022dood|lake2015bpl"
    r"|[Aa]t (28|50) pixels|10,000 of them|8 clusters|by 0\.05 or more|2,000 drawings|64 features|0\.84 of it"
    r"|\d of \d sets"
)


def controls() -> dict:
    return json.loads(tasks.CONTROLS.read_text(encoding="utf-8"))


def test_the_page_is_what_the_records_say() -> None:
    assert tasks.PAGE.read_text(encoding="utf-8") == tasks.current_page(), "run `make results`"


def test_no_number_is_typed(spread_of_nan) -> None:
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


def test_a_model_is_ahead_where_it_is_by_enough() -> None:
    values = {"dood": (0.30, 0.20, 0.25), "air": (0.10, 0.18)}
    records = [
        {"recipe": f"{kind}-{name}-short", "seed": 0, "metrics": {"silhouette": value}, "file": "a.json"}
        for kind, row in values.items()
        for name, value in zip(tasks.SETS, row, strict=False)
    ]
    assert tasks.ahead("air", "silhouette", 0.05, 1, records) == "1 of 2 sets"
    assert tasks.ahead("air", "silhouette", 0.0, -1, records) == "0 of 2 sets"
    assert tasks.ahead("difference-air", "silhouette", 0.05, 1, records) == NOT_RUN
