"""A record that its checkpoint no longer gives is found, and a metric can be renewed alone."""

from dataclasses import replace

import pytest

from neurosym_lite.training.checkpoints import checkpoint_path
from neurosym_lite.training.records import load_record
from scripts import check_records, measure_again


@pytest.fixture
def measured(monkeypatch) -> dict[str, float]:
    """What the checkpoint gives now, in both scripts: its record's structure, unless a test changes it."""
    record = load_record("gnm-mnist4-lite")
    found = {key: value for key, value in record.metrics.items() if key.startswith("structure")}
    for script in (check_records, measure_again):
        monkeypatch.setattr(script, "evaluate", lambda model, recipe, metrics: found)
    return found


def test_equal_records_pass_and_others_are_named(measured: dict[str, float], capsys) -> None:
    assert check_records.main(["gnm-mnist4-lite"]) == 0 and "gnm-mnist4-lite: equal" in capsys.readouterr().out
    measured["structure_accuracy"] = 0.25
    assert check_records.main(["gnm-mnist4-lite"]) == 1
    assert "structure_accuracy: 0.25, recorded 0.9" in capsys.readouterr().out


def test_a_metric_is_renewed_and_the_others_stay(measured: dict[str, float], monkeypatch, tmp_path) -> None:
    old, written = load_record("gnm-mnist4-lite"), {}
    monkeypatch.setattr(measure_again, "save_record", lambda path, record: written.update(record=record))
    monkeypatch.setattr(measure_again, "save_checkpoint", lambda *about: written.update(header=about[-1]))
    measured["structure_accuracy"] = 0.25
    measure_again.measure_again("gnm-mnist4-lite", ("structure",))
    assert written["record"] == replace(
        old, metrics=old.metrics | {"structure_accuracy": 0.25}, config=written["record"].config
    )
    assert written["header"] == written["record"].metrics


def test_numbers_of_another_model_are_refused(measured: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="is no checkpoint of gnm-gaussian-mnist4-lite: gnm-gaussian-mnist4-lite at"):
        measure_again.measure_again("gnm-gaussian-mnist4-lite", ("structure",), str(checkpoint_path("gnm-mnist4-lite")))
