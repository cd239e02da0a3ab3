"""The benchmarks: their references compute what ours computes, the report is whole, the page says what it says.

Nothing is timed here.
"""

import json

import pytest
import torch
from PIL import Image
from torch import Generator

from benchmarks import __main__ as command
from benchmarks import measure, page, pictures, render, scenes, step, structure, words
from benchmarks.entries import Entry, alone, timed
from benchmarks.measure import QUICK, Effort, Pair, Pairs
from neurosym_lite.data.scenes import SceneSource
from neurosym_lite.models import gnm
from neurosym_lite.render.ink import PAPER_SAMPLES
from neurosym_lite.render.spatial import glimpse, paste_sum
from neurosym_lite.training.loop import start
from neurosym_lite.training.records import load_record
from scripts.pages.records import NOT_RECORDS, load_records

REPORT = command.load()


def test_peak_memory_counts_what_lives_at_once_and_nothing_that_was_there() -> None:
    before = torch.ones(256, 1024)  # 1 MiB

    def work() -> None:
        first = before + 1
        first.view(1024, 256).mul_(2)  # a view, changed in place: no more bytes
        second = first + 1
        del first
        (before.view(-1) * 2).sum()
        before.add_(1)
        del second

    assert measure.peak_mebibytes(work) == pytest.approx(2, abs=0.01)


def test_the_pair_with_the_median_ratio_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter((8.0, 2.0, 9.0, 1.0, 30.0, 10.0))  # reference, ours, in turn
    calls = []
    monkeypatch.setattr(measure, "cpu_milliseconds", lambda work, rounds: next(times))
    pairs = measure.in_turn(lambda: calls.append("ours"), lambda: calls.append("reference"), Effort(3, 1))
    assert pairs == Pairs(Pair(ours=2.0, reference=8.0), 3.0, 9.0) and calls == ["reference", "ours"]


def test_the_least_round_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter((0.0, 3.0, 10.0, 11.0, 20.0, 22.0))
    monkeypatch.setattr(measure.time, "process_time", lambda: next(clock))
    assert measure.cpu_milliseconds(lambda: None, rounds=3) == 1000


def test_a_part_of_the_references_work_is_scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.entries.in_turn", lambda *_: Pairs(Pair(2000.0, 500.0), 0.2, 0.3))
    entry = timed("g", "n", lambda: 0, lambda: 0, "a", QUICK, part=10, unit="CPU s")
    assert (entry.ours, entry.reference, entry.ratio) == (2.0, 5.0, 2.5) and "10 times" in entry.how
    assert (entry.low, entry.high) == (2.0, 3.0)


def test_an_entry_without_a_reference_has_no_ratio() -> None:
    assert alone("g", "n", "MiB", 1.23456, "why", "how").as_dict() == {
        "name": "n", "group": "g", "unit": "MiB", "ours": 1.235, "reference": None, "against": "why", "how": "how",
        "missing": "none", "low": None, "high": None, "ratio": None,
    }  # fmt: skip


def test_torchs_sampler_pastes_and_reads_what_ours_does() -> None:
    glimpses, where = render.scene(batch=2, boxes=3)
    ours, reference = paste_sum(glimpses, where, (24, 32)), render.grid_sample_sum(glimpses, where, (24, 32))
    torch.testing.assert_close(ours, reference, atol=1e-5, rtol=0)
    gradients = [torch.autograd.grad(drawn.square().sum(), (glimpses, *where)) for drawn in (ours, reference)]
    for mine, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-3, rtol=1e-4)
    images = torch.rand(2, 2, 24, 32)
    cut = glimpse(images, where, (5, 7)), render.grid_sample_glimpse(images, where, (5, 7))
    torch.testing.assert_close(*cut, atol=1e-5, rtol=0)


@pytest.mark.parametrize("rule", ["mnist4", "mnist10", "mnist4-10"])
def test_the_loop_draws_the_same_scenes(rule: str) -> None:
    source = SceneSource(rule)
    layout = source.describe(20, Generator().manual_seed(0))
    drawn = scenes.draw_by_loop(source, layout, Generator().manual_seed(1))
    assert torch.equal(drawn, source.draw(layout, Generator().manual_seed(1)).images) and drawn.any()


@pytest.mark.parametrize("word", ["symbols", "joint"])
def test_a_plain_step_changes_the_weights_as_ours_does(word: str) -> None:
    case = next(case for case in step.cases() if case.name == f"GNM lite, {word}")
    ends = []
    for plain in (False, True):
        kept = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(step, "start", lambda *given, kept=kept: kept.append(start(*given)) or kept[0])
            work = step.job(case.recipe, plain)
        work(), work()
        ends.append({**kept[0].model.state_dict(), **{f"mean {k}": v for k, v in kept[0].averages.items()}})
    assert ends[0].keys() == ends[1].keys()
    # Adam's first steps are signs: where a gradient is nearly 0 a weight may go the other way
    far = [(ends[0][name] - ends[1][name]).abs() for name in ends[0] if ends[0][name].is_floating_point()]
    assert torch.cat([distance.flatten() for distance in far]).mean() < 1e-5


def test_the_plain_way_is_left_again() -> None:
    before = gnm.compose_sum, gnm.glimpse, torch._foreach_lerp_
    with step.plain_way():
        assert gnm.glimpse is render.grid_sample_glimpse and gnm.compose_sum is not before[0]
    assert before == (gnm.compose_sum, gnm.glimpse, torch._foreach_lerp_)


def test_the_reference_of_dood_has_the_papers_pen() -> None:
    case = next(case for case in step.cases() if case.name == "DooD lite")
    assert case.reference.model.pen == "sum-max-tanh" and case.recipe.model.pen == "distance"
    assert case.reference.model.samples == PAPER_SAMPLES == 100


def test_structure_is_reached_at_the_first_checkpoint_that_has_it() -> None:
    record = load_record("gnm-mnist4-lite")
    assert structure.reached(record, 0.0) == record.milestones[0]["minutes"]
    assert structure.reached(record, 1.1) is None
    minutes = structure.reached(record, 0.8)
    assert all(p["structure_accuracy"] < 0.8 for p in record.milestones if p["minutes"] < minutes)


def test_the_report_has_every_group_and_where_it_was_measured() -> None:
    assert list(REPORT["headers"]) == list(command.GROUPS) == list(dict.fromkeys(e["group"] for e in REPORT["entries"]))
    for header in REPORT["headers"].values():
        assert {"machine", "cores", "threads", "torch", "package", "date"} <= header.keys()


def test_ratios_are_the_references_number_over_ours() -> None:
    keys = {*Entry.__dataclass_fields__, "ratio"}
    for entry in REPORT["entries"]:
        assert entry.keys() == keys and all(entry[key] for key in ("name", "unit", "against", "how"))
        if entry["reference"] is None or entry["ours"] is None:
            assert entry["ratio"] is None and (entry["missing"] or entry["ours"] is None)
        else:
            assert entry["ratio"] == pytest.approx(entry["reference"] / entry["ours"], rel=1e-3)
    assert len({(e["group"], e["name"], e["unit"]) for e in REPORT["entries"]}) == len(REPORT["entries"])


def test_the_structure_group_is_what_the_run_records_say() -> None:
    now = [entry.as_dict() for entry in structure.entries()]
    kept = [entry for entry in REPORT["entries"] if entry["group"] == "structure"]
    assert kept == now, "run `python -m benchmarks --only structure` and `python -m benchmarks.page`"


def test_one_group_anew_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(command.GROUPS, "scenes", lambda effort: [alone("scenes", "n", "MiB", 1.0, "why", "how")])
    fresh = command.measure(["scenes"], QUICK, REPORT)
    assert [e["name"] for e in fresh["entries"] if e["group"] == "scenes"] == ["n"]
    others = [e for e in REPORT["entries"] if e["group"] != "scenes"]
    assert [e for e in fresh["entries"] if e["group"] != "scenes"] == others
    assert fresh["headers"]["step"] == REPORT["headers"]["step"] and fresh["headers"]["scenes"]["quick"]
    assert list(fresh["headers"]) == list(command.GROUPS)


def test_the_command_writes_where_it_is_told(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(command.GROUPS, "scenes", lambda effort: [alone("scenes", "n", "MiB", 1.0, "why", "how")])
    path = tmp_path / "new" / "report.json"
    assert command.main(["--only", "scenes", "--quick", "--out", str(path)]) == 0
    assert list(json.loads(path.read_text())["headers"]) == ["scenes"]


def test_the_page_is_what_the_report_says() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.render(REPORT), "run `python -m benchmarks.page`"


def test_the_page_tells_a_quick_run_a_group_left_out_and_machines_that_differ() -> None:
    headers = {name: header | {"quick": False} for name, header in REPORT["headers"].items() if name != "book"}
    entries = [entry for entry in REPORT["entries"] if entry["group"] != "book"]
    each = len(headers) - 1  # the group that is only read from records is measured nowhere
    whole = page.render({"headers": headers, "entries": entries})
    assert words.NO_BOOK in whole and words.QUICK not in whole
    assert whole.count("Measured on") == (each if page.not_alike(REPORT | {"headers": headers}) else 1)
    headers["scenes"] |= {"machine": "another", "quick": True}
    mixed = page.render({"headers": headers, "entries": entries})
    assert mixed.count("Measured on") == each and words.QUICK in mixed


def test_what_was_not_reached_is_said_and_what_costs_more_comes_first() -> None:
    wanted = {"name": "n", "group": "scenes", "unit": "CPU ms", "against": "a", "how": "h", "missing": ""}
    slower = wanted | {"ours": 2.0, "reference": 1.0, "ratio": 0.5, "low": 0.4, "high": 0.6}
    unknown = slower | {"name": "m", "high": 1.1}
    told = page.dearer({"entries": [slower, unknown, slower | {"name": "l", "low": None, "high": None}]}).splitlines()
    assert told == [
        "Ours costs more than the reference: n (CPU ms, 0.5 (0.4 to 0.6)); l (CPU ms, 0.5).",
        "Which costs more is not to be told: m (CPU ms, 0.5 (0.4 to 1.1)).",
    ]
    never = wanted | {"ours": None, "reference": None, "ratio": None, "low": None, "high": None,
                      "missing": "not reached"}  # fmt: skip
    assert page.rows([slower, never]) == [
        ["n", "CPU ms", "2", "1", "0.5 (0.4 to 0.6)", "a"],
        ["n", "CPU ms", "not reached", "not reached", "–", "as above"],
    ]


@pytest.mark.parametrize("name", ["ratios", "steps"])
def test_the_pictures_were_drawn_from_the_report(name: str) -> None:
    with Image.open(pictures.PICTURES / f"{name}.png") as picture:
        drawn_from = picture.text[pictures.FINGERPRINT]
    assert drawn_from == pictures.fingerprint(REPORT), "run `python -m benchmarks.page`"


@pytest.mark.parametrize(("value", "text"), [
    (None, "–"), (0.0, "0"), (2.3456, "2.35"), (123.4, "123"), (4567.8, "4,568"),
    (1.2e-6, "$1.2 \\times 10^{-6}$"),
])  # fmt: skip
def test_numbers_have_three_digits(value: float | None, text: str) -> None:
    assert page.number(value) == text


def test_the_report_is_no_run_record() -> None:
    assert command.REPORT.name in NOT_RECORDS
    assert command.REPORT.name not in [record["file"] for record in load_records()]
