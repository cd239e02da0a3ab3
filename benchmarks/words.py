"""The words of the benchmarks page: what each group measures and what its reference is. No number of ours is here."""

INTRODUCTION = """# Benchmarks

What is meant to be fast, each beside the same work done another way. `make bench` measures it, writes
`data/results/benchmarks.json`, and makes this page and its pictures from that file; nobody types a number into it.
The whole report: {download}`benchmarks.json <../data/results/benchmarks.json>`.

Read the ratios. A ratio is the reference's number divided by ours, so above 1 ours is faster or smaller, and below 1
it is not. Times of both were measured in turn, in several pairs, so that a busy machine slows both; the pair with the
median ratio is shown, and behind it the least and the greatest ratio of all. Where 1 lies between these, it is not to
be told which is faster. The milliseconds hold for one machine on one day.

References are written in `benchmarks/` from torch's and numpy's own operators. They are not the authors' programs, and
none of these numbers says how fast those are.
"""

QUICK = """
```{warning}
This is a quick run: what stands here was measured once, after a warm-up. `make bench` measures with more rounds.
```
"""

RATIO_HEADING = """
## All ratios
"""

# headings and what stands under them, group by group
GROUPS = {
    "step": (
        "A training step",
        "One step of the training loop: batch, loss, gradient, clip, update, averages of the weights. The first three "
        "are the phases of `gnm-digits4-lite`. The reference changes what its last column names; network, batch and "
        "arithmetic stay. Our AIR pastes by torch's sampler too, and a VAE pastes nothing, so there only the optimiser "
        "differs.",
    ),
    "process": (
        "The training process",
        "A step frees and asks again for the same hundreds of mebibytes. The C library of Linux hands them back each "
        "time, and the system clears every page anew. Training therefore tells it to keep what is freed (`mallopt`, "
        "in `neurosym_lite/training/processor.py`); no variable has to be set.",
    ),
    "renderers": (
        "Renderers",
        "Chapter 2 writes the spatial transformer as matrix products, chapter 7 draws strokes by one. Here they stand "
        "beside torch's sampler and the paper's pen. The two ways to paste and to read give the same values up to "
        "rounding. The two pens do not: the paper's has no edge at a known distance, so only ours can be held against "
        "an exact raster.",
    ),
    "sampling": (
        "Sampling",
        "Images imagined from the prior by the shipped models, a hundred at a time.",
    ),
    "scenes": (
        "Scene generation",
        "Training draws fresh scenes in every step, so they must cost little. Describing a scene is part of both "
        "times; only the drawing differs, and both draw the same scenes.",
    ),
    "rooms": (
        "Arrow Room",
        "Rays are followed by distances to solids, all rays of all rooms at once, and only where a solid's bounding "
        "sphere is near. Training sets are drawn once, before the first step.",
    ),
    "structure": (
        "Time to structure accuracy",
        "How long a run trains until its imagined scenes obey the rule. Nothing was trained for this table: it is read "
        "from the run records. The reference is the same size of model trained the paper's way, where there is such a "
        "run.",
    ),
    "book": (
        "The book's build",
        "A clean build into an empty folder.",
    ),
}
NO_BOOK = "Not measured in this run: `python -m benchmarks --only book` builds the book."
