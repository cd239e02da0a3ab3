"""A clean build of the book into a folder that is thrown away: how long, how many pages, how large."""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.entries import Entry, alone
from benchmarks.measure import Effort
from scripts.toc import ROOT, toc_files

GROUP = "book"
REASON = "no other builder reads the book's pages; its parts stand beside it"
ONCE = "one build with `jupyter-book`, nothing cached, notebooks not run"


def build(folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a build. Raises CalledProcessError, with the builder's words, where it fails."""
    command = [Path(sys.executable).parent / "jupyter-book", "build", ROOT, "--path-output", folder]
    wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*command, "-W", "-n", "--keep-going"], cwd=ROOT, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        print(done.stdout[-5000:], done.stderr[-5000:], file=sys.stderr)
        done.check_returncode()
    cpu = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    return time.perf_counter() - wall, cpu


def mebibytes(folder: Path) -> float:
    """Size of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


def entries(effort: Effort) -> list[Entry]:
    """The build and its parts."""
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = build(Path(folder))
        site = Path(folder) / "_build" / "html"
        pages = sum((site / f"{page}.html").is_file() for page in toc_files())
        whole, static = mebibytes(site), mebibytes(site / "_static")
    sizes = "sizes of the files in the built site"
    return [
        alone(GROUP, "build the book", "wall s", wall, REASON, ONCE),
        alone(GROUP, "build the book", "CPU s", cpu, REASON, ONCE),
        alone(GROUP, "pages of the table of contents", "pages", pages, REASON, "counted in the built site"),
        alone(GROUP, "the site", "MiB", whole, REASON, sizes),
        alone(GROUP, "of it, shared files: styles, scripts, pictures", "MiB", static, REASON, sizes),
    ]
