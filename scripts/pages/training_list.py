"""Writes data/results/TRAINING.md: the runs that the book still waits for, in the order in which they matter.

The order, and how far each has got, are those of data/queue.json; a run waits until data/results holds its record.
"""

from neurosym_lite.training.queue import QUEUE, Job, read_queue
from neurosym_lite.training.recipe import Recipe
from neurosym_lite.training.recipes import RECIPES
from neurosym_lite.training.records import RESULTS, load_record, record_path
from scripts.pages.markdown import write_page

PAGE = RESULTS / "TRAINING.md"


def is_waiting(name: str) -> bool:
    """Has the recipe, or the run of another seed, no record yet?"""
    return not record_path(name).is_file()


def training_list() -> str:
    """The page's text."""
    jobs = read_queue(QUEUE)
    waiting = [job for job in jobs if is_waiting(job.name)]
    more = [job.name for job in jobs if job.name not in RECIPES]
    done = [name for name in (*RECIPES, *more) if not is_waiting(name)]
    lines = [
        "# Runs that the book waits for",
        "",
        "In the order in which they matter. Written by `python -m scripts.pages.training_list` from `data/queue.json`",
        "and the run records; do not edit by hand.",
        "",
    ]
    lines += [f"{n}. {_line(job)}" for n, job in enumerate(waiting, 1)] or ["None: every run has its record."]
    lines += ["", "All are begun, and gone on with after a stop, by", "", "```bash"]
    lines += ["cp data/queue.json my_queue.json"]
    lines += ["python -m neurosym_lite train-queue my_queue.json --minutes 9 --jobs 4", "```", ""]
    lines += ["and each alone by `python -m neurosym_lite train RECIPE --minutes 9 --resume`; one that ends in"]
    lines += ["`-seed1` needs `--seed 1 --out runs/RECIPE-seed1` as well.", "", "## Done", ""]
    lines += [f"- `{name}`{_cut(name)}" for name in done]
    return "\n".join(lines) + "\n"


def _cut(name: str) -> str:
    """Where a run was stopped before its recipe's last step; "" where it was not."""
    record = load_record(name)
    steps = RECIPES[record.recipe].steps
    return f" (stopped at step {record.steps:,} of {steps:,})" if record.steps < steps else ""


def _line(job: Job) -> str:
    recipe: Recipe = RECIPES[job.recipe]
    handwriting = getattr(recipe.data, "glyphs", "digits")  # rooms need none
    needs = "" if handwriting == "digits" else f" (needs `data fetch {handwriting}`)"
    seed = "" if job.name == job.recipe else f", seed {job.seed}"
    after = f", after `{recipe.start}`" if recipe.start and is_waiting(recipe.start) else ""
    return f"`{job.name}`: {recipe.about}{seed}; {_progress(job)}{after}{needs}"


def _progress(job: Job) -> str:
    if job.problem:
        return f"{job.step:,} of {job.steps:,} steps, then: {job.problem}"
    if job.done:
        return f"all {job.steps:,} steps done in {job.minutes:,.0f} minutes, its record is not yet in `data/results`"
    if job.step:
        return f"{job.step:,} of {job.steps:,} steps in {job.minutes:,.0f} minutes on {job.device}"
    return f"{job.steps:,} steps"


if __name__ == "__main__":
    write_page(PAGE, training_list())
