"""The rules that the book keeps: its pages, its notebooks, its files of record."""

import json
import re
import statistics
import subprocess
from pathlib import Path

import pytest
import yaml

from neurosym_lite.classroom import EXERCISES
from neurosym_lite.models.gnm import GNM
from scripts import toc
from scripts.pages import results_page
from scripts.pages.records import PUBLISHED, load_records

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MAX_BYTES = 3_000_000
CODE_CELLS = range(20, 46)
MEDIAN_LINES, MAX_LINES = 8, 40

# a script, link or picture that a page would fetch from elsewhere
REMOTE = re.compile(
    r"<(script|link|img|iframe|video|audio|source)\b[^>]*\b(src|href)\s*=\s*[\"']?\s*(https?:)?//", re.I
)
# paths of the machine that ran the notebook
LOCAL = re.compile(r"(?<![\w.:/])/(home|root|Users|work|tmp|usr|opt|mnt|content|private|var)/\w|[A-Z]:\\\\?Users")
# what must not be in a file that is committed; in halves, so that this file passes its own test
FORBIDDEN = [
    re.compile(word, flags)
    for word, flags in (
        (r"\bTO" r"DO\b", 0),
        (r"\bFIX" r"ME\b", 0),
        (r"\bXX" r"X\b", 0),
        (r"/wo" r"rk/", 0),
        (r"lorem ip" r"sum", re.I),
        (r"coming so" r"on", re.I),
        (r"github\.com/(your|user|owner|org|exa" r"mple)", re.I),
        (r"\b(AI|LLM)[- ](gene" r"rated|assisted|written)\b", re.I),
        (r"\b(Chat" r"GPT|Co" r"pilot|Cla" r"ude|Anthro" r"pic)\b", re.I),
    )
]
TEXT = {
    ".md",
    ".py",
    ".toml",
    ".txt",
    ".yml",
    ".yaml",
    ".cfg",
    ".cff",
    ".json",
    ".ipynb",
    ".bib",
    ".css",
    ".js",
    ".svg",
    "",
}

on_notebooks = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def load(path: Path) -> dict:
    """A notebook as plain dictionaries."""
    return json.loads(path.read_text(encoding="utf-8"))


def source(cell: dict) -> str:
    """The text of a cell."""
    return "".join(cell["source"])


def code_cells(notebook: dict) -> list[dict]:
    """The code cells, in order."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def outputs(notebook: dict) -> list[tuple[dict, dict]]:
    """Pairs of a code cell and one of its outputs."""
    return [(cell, output) for cell in code_cells(notebook) for output in cell["outputs"]]


def data_of(output: dict) -> dict[str, str]:
    """What an output shows, by type, as text; a stream counts as plain text."""
    if output["output_type"] == "stream":
        return {"text/plain": "".join(output["text"])}
    return {
        kind: value if isinstance(value, str) else "".join(map(str, value)) for kind, value in output["data"].items()
    }


def sections(notebook: dict) -> list[tuple[str, list[dict]]]:
    """Second-level headings, each with the code cells up to the next one."""
    found: list[tuple[str, list[dict]]] = [("(before the first section)", [])]
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            found[-1][1].append(cell)
        else:
            found += [(title, []) for title in re.findall(r"^## (.+)$", source(cell), re.M)]
    return found


def committed_files() -> list[Path]:
    """Files that git tracks or would track; without git, everything outside hidden and built folders."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
        files = [ROOT / name for name in listed if name]
    except (OSError, subprocess.CalledProcessError):
        skipped = re.compile(r"(^|/)(_build|__pycache__|runs|\.(?!ci/|github/|binder/)[^/]+)/")
        files = [path for path in ROOT.rglob("*") if not skipped.search(path.relative_to(ROOT).as_posix())]
    return [path for path in files if path.is_file()]


def test_results_page_is_what_the_run_records_say() -> None:
    assert results_page.PAGE.read_text(encoding="utf-8") == results_page.current_page(), "run `make results`"


def test_results_page_shows_a_run_beside_the_published_number() -> None:
    record = {
        "recipe": "gnm-mnist4",
        "seed": 0,
        "steps": 1000,
        "device": "cpu",
        "minutes": 1.5,
        "package_version": "0",
        "torch_version": "0",
        "date": "2026-01-01",
        "parameters": 2_930_708,
        "metrics": {"structure_accuracy": 0.8125, "ap50": 0.875, "ap50_95": 0.5},
        "curve": [],
        "config": {},
        "file": "gnm-mnist4.json",
    }
    page = results_page.render([record], json.loads(PUBLISHED.read_text(encoding="utf-8")))
    run = "[`gnm-mnist4`](../data/results/gnm-mnist4.json)"
    assert f"| {run} | 0.8125 |" in page and f"| {run} | 0.875 | 0.5 |" in page
    boxes = "AP at 0.5: 0.875, AP at 0.5 to 0.95: 0.5, class from $z_{\\mathrm{what}}$: –"
    assert f"| MNIST-4 | GNM | 0.905 | 0.487 | 0.983 | {run} ({boxes}) |" in page
    assert "| MNIST-10 | GNM | 0.905 | 0.459 | 0.984 | not run |" in page


def test_runs_that_fail_on_purpose_are_left_to_their_gallery() -> None:
    metrics = {"structure_accuracy": 0.5, "structure_low": 0.4, "structure_high": 0.6}
    page = results_page.runs_section([
        {"recipe": name, "seed": 0, "steps": 1, "device": "cpu", "minutes": 1, "parameters": 1, "date": "2026-01-01",
         "metrics": metrics, "file": f"{name}.json"}
        for name in ("failure-x", "gnm-x")
    ])  # fmt: skip
    assert "failure-x" not in page and "| [`gnm-x`](../data/results/gnm-x.json) | 0.500 (" in page
    assert "- `structure_accuracy`" in page and "ap50" not in page


def test_two_seeds_become_mean_and_spread() -> None:
    runs = [{"metrics": {"ap50": value}} for value in (0.8, 0.9)]
    assert results_page.measured(runs, "ap_iou_0.50") == "0.85 ± 0.071 (2 runs)"


def test_run_records_have_the_keys_that_pages_read() -> None:
    keys = {"recipe", "seed", "steps", "device", "minutes", "package_version", "torch_version", "date", "parameters"}
    for record in load_records():
        assert keys | {"metrics", "curve", "config"} <= record.keys(), record["file"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", record["date"]), record["file"]
        assert all(isinstance(value, int | float) for value in record["metrics"].values()), record["file"]


@pytest.mark.parametrize("page", toc.toc_files())
def test_table_of_contents_names_a_file(page: str) -> None:
    assert any((ROOT / f"{page}{suffix}").is_file() for suffix in (".md", ".ipynb")), f"{page} is in _toc.yml only"


def test_every_page_is_in_the_table_of_contents() -> None:
    named = set(toc.toc_files())
    files = [*(ROOT / "book").glob("*.md"), *NOTEBOOKS]
    assert [f.name for f in files if f.relative_to(ROOT).with_suffix("").as_posix() not in named] == []


def test_citation_file_parses() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert {"title", "authors", "message", "version"} <= citation.keys()


def test_committed_text_has_no_leftovers() -> None:
    found = []
    for path in committed_files():
        relative = path.relative_to(ROOT)
        if path.suffix in TEXT and "vendor" not in relative.parts:
            # pictures inside notebooks are long runs of letters and say nothing
            text = re.sub(r"[A-Za-z0-9+/=]{200,}", "", path.read_text(encoding="utf-8"))
            found += [f"{relative}: {hit.group()}" for word in FORBIDDEN for hit in word.finditer(text)]
    assert found == []


@on_notebooks
def test_notebook_was_run_once_from_top_to_bottom(path: Path) -> None:
    counts = [cell["execution_count"] for cell in code_cells(load(path)) if source(cell).strip()]
    assert counts == list(range(1, len(counts) + 1)), "run `make execute`"


@on_notebooks
def test_notebook_shows_no_error_and_no_warning(path: Path) -> None:
    for cell, output in outputs(load(path)):
        expected = "raises-exception" in cell["metadata"].get("tags", [])
        assert expected or output["output_type"] != "error", source(cell)
        assert output.get("name") != "stderr", source(cell)


@on_notebooks
def test_notebook_outputs_fetch_nothing_and_name_no_local_path(path: Path) -> None:
    for cell, output in outputs(load(path)):
        if output["output_type"] == "error":
            continue
        for kind, text in data_of(output).items():
            if kind.startswith("text/"):
                assert not REMOTE.search(text), source(cell)
                assert not LOCAL.search(re.sub(r"base64,[A-Za-z0-9+/=]+", "", text)), source(cell)


@on_notebooks
def test_notebook_keeps_its_measures(path: Path) -> None:
    lines = [len(source(cell).splitlines()) for cell in code_cells(load(path))]
    assert len(lines) in CODE_CELLS
    assert statistics.median(lines) <= MEDIAN_LINES
    assert max(lines) <= MAX_LINES
    assert path.stat().st_size < MAX_BYTES


@on_notebooks
def test_notebook_pictures_have_alternative_text(path: Path) -> None:
    notebook = load(path)
    for cell, output in outputs(notebook):
        shown = {} if output["output_type"] == "error" else data_of(output)
        if "image/png" in shown:
            alt = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "")
            assert alt.strip() or re.search(r"^#\|.*\balt\b", source(cell), re.M), source(cell)
        for tag in re.findall(r"<img\b[^>]*>", shown.get("text/html", "")):
            assert re.search(r"\balt\s*=\s*[\"'][^\"']", tag), source(cell)
    states = notebook["metadata"].get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {})
    for name, model in states.get("state", {}).items():
        assert model["model_name"] != "ImageModel", f"{name}: use widgets.HTML with <img alt=...>"


@on_notebooks
def test_notebook_prose_pictures_have_alternative_text(path: Path) -> None:
    for cell in load(path)["cells"]:
        if cell["cell_type"] == "markdown":
            assert not re.search(r"!\[\s*\]\(", source(cell)), source(cell)
            for block in re.findall(r"^[`:]{3,}\{(?:figure|image)\}.*?^[`:]{3,}\s*$", source(cell), re.M | re.S):
                assert ":alt:" in block, block


@on_notebooks
def test_notebook_sections_assert_something(path: Path) -> None:
    for title, cells in sections(load(path)):
        text = "\n".join(source(cell) for cell in cells)
        assert not text.strip() or title.startswith("(") or re.search(r"\bassert\b|classroom\.check\(", text), title


@pytest.mark.parametrize(("file", "steps"), [("README.md", 0), ("book/how_to_use.md", 2)])
def test_examples_in_python_run(file: str, steps: int, tmp_path, monkeypatch) -> None:
    """With two steps in the place of nine minutes."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / file).read_text(encoding="utf-8"), re.M | re.S)
    named = {}
    example = next(block for block in blocks if "load_checkpoint" in block)
    exec(example.replace("steps=mine.steps, minutes=9", f"steps={steps}"), named)
    assert type(named["model"]) is GNM and ("mine" in named) == (steps > 0)


def test_teaching_plan_names_each_exercise_once_and_sections_that_exist() -> None:
    page = (ROOT / "book" / "how_to_use.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:1] == "|"]
    columns = zip(*(row[2:] for row in rows if re.match(r"\d+ [A-Z]", row[0])), strict=True)
    paper, code, derive = (re.findall(r"\d+\.\d+", " ".join(column)) for column in columns)
    assert sorted([*paper, *code, *derive]) == sorted(EXERCISES)
    assert set(paper) == {number for number, exercise in EXERCISES.items() if not callable(exercise.solution)}
    cells = [cell for path in NOTEBOOKS for cell in load(path)["cells"] if cell["cell_type"] == "markdown"]
    headings = [title for cell in cells for title in re.findall(r"^##+ (.+)$", source(cell), re.M)]
    plan = " ".join(cell for row in rows if row[0].isdecimal() for cell in row)
    assert [name for name in re.findall(r'"([^"]+)"', plan) if not any(h.startswith(name) for h in headings)] == []
