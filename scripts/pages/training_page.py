"""Writes book/training.md: `python -m scripts.pages.training_page`. Counts and estimates come from `scaling`."""

import json

from neurosym_lite.training.recipes import get_recipe
from neurosym_lite.training.records import load_record
from scripts.pages import scaling
from scripts.pages.markdown import table, write_page
from scripts.pages.records import RECORDS
from scripts.pages.scaling import counts, estimate
from scripts.pages.training_words import BELOW, TOP
from scripts.toc import ROOT

PAGE = ROOT / "book" / "training.md"
REPORT = RECORDS / "gpu.json"  # what benchmarks.gpu measured
RECIPES = ("gnm-mnist4", "dood-mnist")
GPUS = (1, 8, 64)
COLUMNS = ["recipe", "GPUs", "joint batch", "ms a step", "images a second", "times one GPU, eager", "sending"]
THOUSAND, MILLION = 1e3, 1e6


def rounded(value: float) -> str:
    """Two significant digits: an estimate has no more."""
    return f"{float(f'{value:.2g}'):,.12g}"


def operations_sentence() -> str:
    """How many operations a step is."""
    said = [f"about {rounded(counts(name).operations)} for `{name}`" for name in RECIPES]
    return f"A step is a long list of operations, {' and '.join(said)}, most of them tiny."


def operation_sentence() -> str:
    """What an operation was measured to cost."""
    launch, replay = (f"{seconds * MILLION:g}" for seconds in (scaling.LAUNCH, scaling.REPLAY))
    return f"{launch} microseconds to launch an operation, {replay} in a graph"


def assumptions() -> str:
    """What the estimate takes for granted."""
    return (
        f"{scaling.ARITHMETIC / 1e12:g} TFLOP/s; {scaling.NODE} GPUs a machine; {scaling.INSIDE / 1e9:g} GB/s inside a "
        f"machine and {scaling.BETWEEN / 1e9:g} between machines; a message takes at least "
        f"{scaling.HOP_INSIDE * MILLION:g} microseconds inside a machine and {scaling.HOP_BETWEEN * MILLION:g} between"
    )


def engines(report: dict) -> str:
    """Steps a second, operation by operation and by graph."""
    body = [
        [f"`{e['recipe']}`{', ' * bool(e['phase'])}{e['phase']}", f"{e['eager']:,g}", f"{e['graph']:,g}",
         f"{e['graph'] / e['eager']:.1f}"]
        for e in report["engines"]
    ]  # fmt: skip
    return table(["recipe, phase", "steps a second, eager", "graph", "ratio"], body)


def at_once_sentence(once: dict) -> str:
    """What four runs at once do, in runs one after another; and what some of them get of the GPU."""
    shares = {way: [b / a for a, b in zip(once["alone"], once[way], strict=True)] for way in ("together", "mps")}
    names = ", ".join(f"`{name}`" for name in once["recipes"])
    least, most = ([f"{end(ways):.0%}" for ways in shares.values()] for end in (min, max))
    return (
        f"These by graph and at once ({names}) did together {sum(shares['mps']):.1f} times the work of one in the same "
        f"time under NVIDIA's MPS, each between {least[1]} and {most[1]} of its speed alone. Without MPS the GPU "
        f"gives itself to one process at a time: {sum(shares['together']):.1f} times, and the slowest had {least[0]}. "
        "So `train-queue` starts MPS where it is installed and runs have to share a GPU, and ends it with the list."
    )


def to_the_end_sentence(ends: dict) -> str:
    """How long a list of short runs takes, one at a time and all at once: without and, if measured, with metrics."""
    names = ", ".join(f"`{name}`" for name in ends["recipes"])
    took = {
        way: f"{one:,.0f} s one after another and {four:,.0f} s at once, {one / four:.1f} times sooner"
        for way, (one, four) in ((way, ends[way]) for way in ("unmeasured", "measured") if way in ends)
    }
    metrics = f"; with metrics, as it is by default, {took['measured']}" if "measured" in took else ""
    return (
        f" From the command to its end a list of four short runs ({names}) took, `--unmeasured`, {took['unmeasured']}"
        f"{metrics}."
    )


def staged_phrase() -> str:
    """What a model of the paper's size took, as one run of four."""
    record = load_record("gnm-staged-mnist4")
    return f"{record.steps:,} steps in {record.minutes:.1f} minutes on the {record.device}, beside three other runs"


def rows() -> list[list[str]]:
    """One GPU eagerly and by a graph; then more of them, with the recipe's batch and with one that grows."""
    found = []
    for name in RECIPES:
        batch, single = get_recipe(name).phases[0].batch, None
        cases = [(1, batch, False), (1, batch, True)]
        cases += [(gpus, joint, False) for gpus in GPUS[1:] for joint in (batch, gpus * batch)]
        for gpus, joint, graph in cases:
            step = estimate(counts(name), gpus, joint, graph)
            single = single or step
            found.append([
                f"`{name}`", f"{gpus}{', graph' if graph else ''}", f"{joint:,}", rounded(THOUSAND * step.seconds),
                rounded(step.images), rounded(step.images / single.images), f"{step.sending:.0%}",
            ])  # fmt: skip
    return found


def page() -> str:
    """The page's text."""
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    parts = {
        "OPERATIONS": operations_sentence(), "ASSUMPTIONS": assumptions(), "MEASURED": operation_sentence(),
        "DEVICE": report["device"], "BATCH": str(report["batch"]), "ENGINES": engines(report),
        "AT_ONCE": at_once_sentence(report["at_once"]),
        "TO_THE_END": to_the_end_sentence(report["to_the_end"]) if "to_the_end" in report else "",
        "STAGED": staged_phrase(),
    }  # fmt: skip
    top = TOP
    for word, said in parts.items():
        top = top.replace(f"<{word}>", said)
    return top + table(COLUMNS, rows()).rstrip() + "\n" + BELOW


if __name__ == "__main__":
    write_page(PAGE, page())
