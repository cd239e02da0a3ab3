"""What a class gets has all exercises, and no solution and no output."""

import re

import nbformat
import pytest

from neurosym_lite.classroom import EXERCISES
from scripts import handout


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> str:
    """The sources of all cells of the handout."""
    folder = tmp_path_factory.mktemp("class") / "handout"
    assert handout.main([str(folder)]) == 0
    books = [nbformat.read(path, as_version=4) for path in sorted(folder.glob("*.ipynb"))]
    assert len(books) == len(list(handout.NOTEBOOKS.glob("*.ipynb")))
    for book in books:
        nbformat.validate(book)
        assert "widgets" not in book.metadata
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in book.cells)
    return "\n".join(cell.source for book in books for cell in book.cells)


def test_exercises_and_their_gaps_are_there_once(written: str) -> None:
    for number in EXERCISES:
        name = number.replace(".", "_")
        assert written.count(f"answer_{name} = ...") == 1 and written.count(f'check("{number}", ') == 1
    assert len(re.findall(r"\{exercise-start\} \d+\.\d+ ", written)) == len(EXERCISES)


def test_solutions_are_not(written: str) -> None:
    assert not {"solution-", "solution_", "solutions are"} & set(re.findall("solution[-_]|solutions are", written))


def test_text_on_both_sides_of_a_solution_stays() -> None:
    text = f"before\n\n{handout.BEGIN} ex\n```\n\nhidden\n{handout.END}\n\nafter {handout.BEGIN} ex-2\n"
    assert handout.outside(text, inside=False) == ("before\n\n\n\nafter", True)
    assert handout.outside(f"still hidden {handout.END} and on", inside=True) == ("and on", False)


def test_the_notebooks_themselves_are_never_written_over() -> None:
    with pytest.raises(SystemExit, match="has the notebooks themselves"):
        handout.main([str(handout.NOTEBOOKS)])
