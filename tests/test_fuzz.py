"""Damaged files are refused; and the test of that notices a reader that does not refuse."""

from pathlib import Path

from neurosym_lite.training.checkpoints import CheckpointError
from scripts.fuzz_files import DAMAGES, Kind, fuzz, verdict


def test_damaged_files_of_every_kind_are_refused(tmp_path) -> None:
    tally, faults = fuzz(8 * len(DAMAGES) * 4, 0, tmp_path)
    assert faults == [] and {name for name, _ in tally} == {"checkpoint", "state", "characters", "images"}
    assert sum(count for (_, result), count in tally.items() if result == "refused") > 150


def test_a_reader_that_trusts_is_noticed(tmp_path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"other")

    def refuses(path: Path) -> bytes:
        raise CheckpointError("this file is damaged: fetch it again")

    def breaks(path: Path) -> bytes:
        raise KeyError("step")

    verdicts = [
        verdict(Kind(b"good", "", read, CheckpointError), path, b"good")
        for read in (refuses, breaks, Path.read_bytes, lambda path: b"good")
    ]
    assert verdicts == ["refused", "KeyError: 'step'", "read as something else", "harmless"]
