"""The page on transfer: every number is from a record, and says which; sentences follow the numbers."""

import json
import math
import re
from pathlib import Path

import pytest
import torch

from neurosym_lite.data.drawings import DrawingSource
from neurosym_lite.training.recipes import RECIPES
from neurosym_lite.training.transfer_recipes import SETS
from scripts.pages import transfer as found
from scripts.pages import transfer_page as transfer
from scripts.pages import transfer_picture as picture
from scripts.pages import transfer_words as words
from scripts.pages.cells import NOT_RUN
from scripts.pages.records import PUBLISHED, RECORDS, load_records
from tests.pages.test_gnm_experiments import nowhere

# what has a digit in its name: figures, files, code, the sizes of pictures, and how the error is called
NAMES = re.compile(
    r"[Ff]igures? \d(?: and 4)?|\(\.\./data/[^)]*\)|`[a-z0-9-]+`|liang2022dood|at 28 pixels|50 x 50|[Cc]hapter 9"
    r"|09_transfer|Relative L1|\\log 2b|a blank page has 1|0 is a blank page, 1 a perfect one, and below 0"
)


def controls() -> dict:
    return json.loads(transfer.CONTROLS.read_text(encoding="utf-8"))


def published() -> dict:
    return json.loads(PUBLISHED.read_text(encoding="utf-8"))["dood"]["figure_4_log_likelihood_nats_at_50x50"]


def run(kind: str, source: str, shift: float, seed: int = 0) -> dict:
    """A made record: best on its own set, everything `shift` better; the ceiling of b = 0.05."""
    metrics = {found.CEILING: -math.log(0.1), "parts_at_most": 0.5, "relative_l1_all": 0.3}
    for at, target in enumerate(SETS):
        far = 0.5 * (target != source) + 0.01 * at + (0.2 * (source in ("mnist", "omniglot")))
        metrics |= {
            f"{found.LIKELIHOOD}_{target}": 1.5 + shift - far,
            f"likelihood_error_on_{target}": 0.02,
            f"{found.ERROR}_{target}": 0.2 - 0.1 * shift + far,
            f"{found.STROKES}_{target}": 3 + far,
        }
    name = found.recipe_name(kind, source)
    return {"recipe": name, "seed": seed, "metrics": metrics, "file": f"{name}-{seed}.json"}


@pytest.fixture
def whole() -> list[dict]:
    """As if everything had been run, and DooD were always ahead."""
    shifts = {"dood": 0.3, "dood-eg": 0.2, "dood-dr": 0.1, "dood-independent": 0.15, "difference-air": 0.1, "air": 0.0}
    made = [run(kind, source, shift) for kind, shift in shifts.items() for source in SETS]
    moved = [run("dood-moved", "mnist", 0.4), run("difference-air-moved", "mnist", 0.2)]
    return [*made, run("dood", "mnist", 0.34, seed=1), *moved]


def test_the_page_is_what_the_records_say() -> None:
    assert transfer.PAGE.read_text(encoding="utf-8") == transfer.current_page(), "run `make results`"


def test_no_number_is_typed(whole, monkeypatch, spread_of_nan) -> None:
    """With all records, tables, counts and settings turned to NaN no digit is left but in names."""
    monkeypatch.setattr(transfer, "settings", lambda: dict.fromkeys(words_settings(), math.nan))
    monkeypatch.setattr(found.Wins, "__str__", lambda self: "nan")
    monkeypatch.setattr(transfer, "FLOOR", math.nan)
    monkeypatch.setattr(transfer, "PAPER_DOOD", NoSettings)
    monkeypatch.setattr(transfer, "MOVED_SHARE", math.nan)
    for records in (whole, load_records()):
        blank = [record | {"metrics": nowhere(record["metrics"]), "seed": math.nan} for record in records]
        text = transfer.page(blank, nowhere(published()), nowhere(controls()))
        left = [line for line in NAMES.sub("", text).splitlines() if re.search(r"\d", line)]
        assert left == [] and "nan" in text


class NoSettings:
    image_size = scale_floor = math.nan


def words_settings() -> set[str]:
    return set(re.findall(r"\{(\w+)", words.HOW))


def test_every_number_of_ours_leads_to_a_file() -> None:
    targets = set(re.findall(r"\(\.\./data/results/([^)]+)\)", transfer.PAGE.read_text(encoding="utf-8")))
    assert targets and all((RECORDS / target).is_file() for target in targets)


def test_what_the_page_shows_are_recipes() -> None:
    assert set(transfer.shown_recipes()) <= RECIPES.keys()
    assert len(set(transfer.shown_recipes())) == len(transfer.shown_recipes())


def test_nothing_run_says_so() -> None:
    text = transfer.page([], published(), controls())
    assert text.count(words.UNDECIDED) == len(words.SAID) and NOT_RUN in text
    assert words.BELOW[:5] not in text and words.NONE_BELOW not in text and words.NO_SEEDS in text


def test_who_is_ahead_is_counted(whole) -> None:
    assert found.wins("air", found.LIKELIHOOD, False, whole) == (20, 20)
    assert found.wins("air", found.ERROR, True, whole) == (5, 5)
    kept = [r for r in whole if r["recipe"] != "air-omniglot-short"]
    assert str(found.wins("air", found.LIKELIHOOD, False, kept)) == "16 of 16"
    assert str(found.wins("air", found.LIKELIHOOD, False, [])) == NOT_RUN


def test_claims_follow_the_numbers(whole) -> None:
    text = transfer.claims(whole)
    assert all(f"{said}: {words.HOLDS} (" in text for said in words.SAID.values())
    lost = [r for r in whole if r["recipe"] != "dood-kmnist-short"] + [run("dood", "kmnist", 0.05)]
    text = transfer.claims(lost)
    assert f"{words.SAID['other']}: {words.FAILS} (16 of 20 against Difference-AIR, 20 of 20 against AIR)" in text
    assert f"{words.SAID['sources']}: {words.FAILS} (DooD, the worst first: KMNIST, Omniglot, MNIST, " in text
    assert "- DooD is behind Difference-AIR, by likelihood, on: KMNIST to MNIST, " in transfer.short_section(lost)
    assert words.NEVER_BEHIND.format(rival="AIR") in transfer.short_section(lost)


def test_sources_are_compared_on_the_same_sets() -> None:
    """A set that all read well is no merit of the four that are not it."""
    worth = {source: 0.1 * place for place, source in enumerate(SETS)}  # of what was learned: the first is the worst
    bright = {"mnist": -3.0, "kmnist": 2.0}  # of what is read; the mean of a row leaves its own set out
    records = []
    for source in SETS:
        nats = {f"{found.LIKELIHOOD}_{t}": worth[source] + bright.get(t, 0.0) + 9 * (t == source) for t in SETS}
        records.append({"recipe": found.recipe_name("dood", source), "seed": 0, "metrics": nats, "file": "x.json"})
    assert found.worst_sources("dood", records) == list(SETS)
    means = {source: found.elsewhere("dood", source, found.LIKELIHOOD, records) for source in SETS}
    assert min(means, key=means.get) == "kmnist"
    assert found.worst_sources("dood", records[1:]) == []


def test_the_way_from_a_blank_page_to_the_ceiling() -> None:
    record, ink = run("dood", "mnist", 0.0), 0.13
    ceiling = record["metrics"][found.CEILING]
    blank = ceiling - ink / 0.05
    for reached in (0.0, 0.5, 1.0):
        record["metrics"]["likelihood_on_mnist"] = blank + reached * (ceiling - blank)
        assert found.way(record, "mnist", ink) == pytest.approx(reached)


def test_a_cell_below_its_blank_page_is_named(whole) -> None:
    worse = run("air", "mnist", 0.0)
    worse["metrics"]["likelihood_on_omniglot"] = -1.0
    text = transfer.blank_section(controls(), [r for r in whole if r["recipe"] != worse["recipe"]] + [worse])
    assert words.BELOW.format(cells="AIR, MNIST to Omniglot") in text
    assert words.NONE_BELOW in transfer.blank_section(controls(), whole)


def test_seeds_and_moved_digits_are_said(whole) -> None:
    text = transfer.page(whole, published(), controls())
    assert "- Several seeds: `dood-mnist-short`. All else" in text and words.COMPLETE in text
    assert "1.62 ±\N{NO-BREAK SPACE}0.028 ([1.6](../data/results/dood-mnist-short-0.json), [1.64]" in text
    names = "MNIST, EMNIST, KMNIST, Quick, Draw!, Omniglot"
    assert f"DooD with digits as written: {words.HIGHER} {names}; {words.LESS} {names}." in text
    assert f"Difference-AIR with digits as written: {words.HIGHER} {names}; {words.LESS} {names}." in text
    assert f"against DooD with digits as written: {words.LOWER} {names}; {words.MORE} {names}." in text


def test_published_numbers_are_counted_with_their_exception() -> None:
    text = transfer.published_section(published())
    assert "in 20 of 20 cells off the diagonal and 4 of 5 on it" in text and "exception on: EMNIST." in text
    assert "| DooD | MNIST | 7,094 ± 57.9 | " in text and "9,780 nats, 3.91 a pixel; ours, at our floor, 2.3" in text


def test_a_model_without_a_checkpoint_leaves_its_cells_empty(monkeypatch) -> None:
    """Embedded digits for all sets, a shipped model for DooD, nothing for the others."""
    digits = DrawingSource("digits", "test").images[:2].repeat(5 * picture.COUNTED // 2, 1, 1, 1) / 255
    shipped = picture.checkpoint_path("dood-digits-lite")
    monkeypatch.setattr(picture, "characters", lambda n: digits[: 5 * n])
    monkeypatch.setattr(picture, "COUNTED", picture.SHOWN)
    monkeypatch.setattr(
        picture, "checkpoint_path", lambda name: shipped if name.startswith("dood-mnist") else Path("missing")
    )
    monkeypatch.setattr(picture, "load_checkpoint", lambda name, load=picture.load_checkpoint: load(str(shipped)))
    matrix = picture.all_on_all()
    assert list(matrix)[:3] == ["written", "DooD, learned MNIST", "DooD, learned EMNIST"] and len(matrix) == 16
    assert [label for label, shown in matrix.items() if shown is not None] == ["written", "DooD, learned MNIST"]
    figure = picture.sheet({label: matrix[label] for label in list(matrix)[:3]})
    shown = [len(axis.images) for axis in figure.axes]
    assert shown == [1] * 30 + [0] * 15
    lines = [axis.lines for axis in picture.counts().axes]
    assert [len(of_set) for of_set in lines] == [1] * 5
    assert all(torch.tensor(of_set[0].get_ydata()).sum() == pytest.approx(1) for of_set in lines)


def test_pictures_of_the_page_are_drawn_by_the_script() -> None:
    named = re.findall(r"_static/(transfer_\w+\.png)", transfer.PAGE.read_text(encoding="utf-8"))
    assert named and all((picture.FOLDER / name).is_file() for name in named)
    source = Path(picture.__file__).read_text(encoding="utf-8")
    assert all(f'"{name}": ' in source for name in named)
