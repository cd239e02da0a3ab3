"""Run records say what was run, and come back as they were written."""

import json

import pytest

from neurosym_lite import __version__
from neurosym_lite.training import records
from neurosym_lite.training.records import load_record, make_record, save_record


def test_a_record_comes_back_as_it_was_written(recipe, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    record = make_record(
        recipe, seed=3, steps=14, device="cpu, 1 thread", minutes=1.23456, parameters=10,
        metrics={"ap50": 0.5}, curve=[{"step": 7, "total": 1.0}, {"step": 14, "total": 0.5}],
    )  # fmt: skip
    path = tmp_path / f"{recipe.name}.json"
    save_record(path, record)
    assert record.package_version == __version__ and record.minutes == 1.23
    assert load_record(recipe.name) == type(record)(**json.loads(json.dumps(json.loads(path.read_text()))))
    assert len([line for line in path.read_text().splitlines() if '"step":' in line]) == 2


def test_a_record_without_a_curve_is_still_json(recipe, tmp_path) -> None:
    record = make_record(recipe, seed=0, steps=1, device="cpu", minutes=0.0, parameters=1, metrics={}, curve=[])
    save_record(tmp_path / "r.json", record)
    assert json.loads((tmp_path / "r.json").read_text())["curve"] == []


def test_a_missing_record_says_how_to_make_one(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"train gnm-x` writes runs/gnm-x/record.json"):
        load_record("gnm-x")
