"""The critics of chapter 11 from other seeds: the chapter's cells are run, up to the one that is asked for."""

from pathlib import Path

import nbformat
import pytest

from scripts import critics


@pytest.fixture
def chapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A chapter of three code cells, the last of which breaks."""
    cells = [
        nbformat.v4.new_code_cell("seed = 3"),
        nbformat.v4.new_markdown_cell("twice = 0"),
        nbformat.v4.new_code_cell("def twice():\n    return 2 * seed"),
        nbformat.v4.new_code_cell("raise RuntimeError"),
    ]
    path = tmp_path / "chapter.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    monkeypatch.setattr(critics, "CHAPTER", path)
    return path


def test_cells_are_run_up_to_a_word(chapter: Path) -> None:
    assert critics.cells_until("twice")["twice"]() == 6


def test_a_word_that_the_chapter_lacks_is_named(chapter: Path) -> None:
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("seed = 3")]), chapter)
    with pytest.raises(ValueError, match=r"chapter\.ipynb does not define twice"):
        critics.cells_until("twice")
