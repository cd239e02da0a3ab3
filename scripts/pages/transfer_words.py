"""The words of book/transfer.md. They hold no number of ours."""

INTRODUCTION = """# Transfer

A model learns to draw one set of characters and is then shown another. Figures 3 and 4 of {cite:t}`liang2022dood`,
measured again at 28 pixels; {doc}`chapter 9 </notebooks/09_transfer>` says what such numbers are worth. `make results`
writes this page from the run records,
`data/results/transfer_controls.json` and the published tables; nobody types a number into it. **Each measured number
leads to its record.**
"""

HOW = """## What was run

Every model learned one of five sets for {steps:,} steps and was tried on all five, on test characters that are the
same for every run. All have the same Laplace likelihood, with one scale *b* for all pixels, learned, and not below
{floor:g}. A neural decoder (AIR, Difference-AIR, DooD-dR) spent its first steps under a normal likelihood, and the rest
under the Laplace; without that it draws nothing. These are short runs of small models; the
paper's are longer by far.

- **Likelihood**: the importance-weighted bound with {samples} samples, mean over {images} characters, in nats a pixel.
  More is better. Its **ceiling** is that of a page without error, $-\\log 2b$, and hangs on the *b* that training left.
- **Error**: sum of absolute errors over the sum of ink, at the stop. Less is better; a blank page has 1.
- **Strokes**: how many strokes or parts a drawing has, {most} at most.
- Where a recipe was run from several seeds: mean ± standard deviation over seeds, then each of them. Every other number
  is that of one seed; the last section says which.
"""

LIKELIHOOD = """## Figure 4: likelihood

Rows: trained on. Columns: tried on. Nats a pixel.
"""
STANDARD_ERROR = "Standard error over characters: at most {most} nats a pixel in these tables.\n"

WINS = """### Who is ahead

On how many of the cells that both were run for DooD is ahead: the higher likelihood, the lower error. *Other sets* are
the cells off the diagonal, *own set* those on it.
"""

CLAIMS = """What the paper says of its own figure 4, asked of ours:
"""
HOLDS, FAILS, UNDECIDED = "yes", "no", "not all of them are run yet"
SAID = {
    "other": "DooD has the higher likelihood on every other set",
    "own": "and on its own set",
    "diagonal": "in every column the highest likelihood stands on the diagonal, for all three models",
    "sources": "MNIST and Omniglot are the two worst sets to learn from, for all three models (on each other set)",
}

BLANK = """### A blank page is worth a lot

Most pixels of a character are black, and a page without any ink is right about all of them. Its likelihood at the same
*b* is the ceiling minus the mean ink of a pixel over *b*. So here is how far a model gets on the way from the blank
page to the ceiling, the first seed of each: 0 is a blank page, 1 a perfect one, and below 0 silence would have been
better. The mean ink of a pixel is in the [controls](../data/results/transfer_controls.json).
"""
BELOW = "Below their own blank page: {cells}.\n"
NONE_BELOW = "No cell lies below its own blank page.\n"

MATRIX = """### The pages themselves

```{figure} _static/transfer_matrix.png
:name: fig-transfer-matrix
:alt: Three characters each of MNIST, EMNIST, KMNIST, Quick, Draw! and Omniglot, and below them their \
reconstructions by DooD, Difference-AIR and AIR, a row for each of the five sets that a model learned.

Test characters of five sets, as each model draws them again up to its stop. A row says what was learned.
```
"""

ERROR = """## Error and strokes

Relative L1 at the stop, on more characters than the likelihood was asked for.
"""
STROKES = """How many strokes or parts:
"""

ABLATIONS = """## Figure 3: what each part is good for

- **DooD-EG**: without execution guidance. The networks see neither the page so far nor what is left of the picture.
- **DooD-dR**: a network in the place of the pen. It turns the control points into a small picture.
- **independent prior**: strokes do not know of each other. Reading is as before, and only what a stroke costs differs.

Trained on MNIST, likelihood in nats a pixel:
"""
ABLATIONS_ERROR = "Their error:\n"
ABLATIONS_STROKES = "Their strokes:\n"
AT_MOST = """The network that says when to stop sees the picture and what is left of it, and has no memory. Without
execution guidance nothing that is drawn is ever taken off, so it says the same at every stroke: DooD-EG draws no
stroke, or all of them. (The paper says that it always draws all.) Share of MNIST's test digits drawn with all strokes
there are: {shares}. Error after all strokes, whatever the stop says: {errors}.
"""
FIGURE_3 = """```{figure} _static/transfer_ablations.png
:name: fig-transfer-ablations
:alt: The same fifteen characters as DooD, DooD without execution guidance and DooD with a neural decoder draw \
them, after each of the first three strokes, \
after all six and at the stop.

Trained on MNIST: DooD and two of its ablations, step by step.
```

```{figure} _static/transfer_strokes.png
:name: fig-transfer-strokes
:alt: Five panels, a set each. In each a line a model with the share of drawings that have no stroke, one stroke, \
and so on to the most there are.

Trained on MNIST: how many strokes or parts a drawing has.
```
"""
ABLATIONS_ELSEWHERE = """Trained on each of the sets: likelihood on the *other four*, mean, in nats a pixel.
"""
ABLATIONS_ELSEWHERE_ERROR = "The same of the error:\n"
ABLATIONS_WINS = """On how many cells of the five-by-five tables DooD is ahead of its ablations:
"""

MOVED = """## Does variety help?

DooD and Difference-AIR on MNIST, at equal steps: with the digits as they were written, and with {share:.0%} of them
turned, mirrored, sheared, stretched and shrunk at random. The test characters are not moved. First likelihood, then
error, then strokes.
"""
MOVED_SAID = "- {model} with moved digits, against {model} with digits as written: {gains}."
MOVED_RIVAL = "- Difference-AIR with moved digits, against DooD with digits as written: {gains}.\n"
HIGHER, LOWER = "a higher likelihood on", "a lower or equal one on"
LESS, MORE = "less error on", "as much or more on"

PUBLISHED = """## Published

The paper's figure 4 is in nats for pictures of 50 x 50 pixels, with another scale of the likelihood for every pixel and
a floor of {floor:g}. **These numbers cannot be set beside ours**: there are more pixels, and a perfect page has another
price. Their ceiling is {ceiling} nats, {ceiling_pixel} a pixel; ours, at our floor, {ours} a pixel. From the result
files of the paper's code: mean ± standard deviation over runs.
"""
PUBLISHED_VARIANTS = """Variants of DooD trained on MNIST, from the same files:
"""
PUBLISHED_COUNT = """DooD is above Difference-AIR in {other} cells off the diagonal and {own} on it. The text
says that it performs better within a data set too; the released numbers have an exception on: {exceptions}.
Difference-AIR on Omniglot has a normal likelihood and one run, and its row compares with no other.
"""
NO_EXCEPTION = "no set"

DATA = """## What our sets lack

Real pictures all, but not all of them:

- KMNIST: the official test file alone, split again into train and test. The official training set was not at hand.
- EMNIST: a balanced draw of our own from the classes of the Balanced split, not that split.
- Quick, Draw!: the categories that were at hand, not all that there are. The paper does not say which it took.
- MNIST and Omniglot are whole. On Omniglot a model learns the background set and is tried on the evaluation set, so its
  own set has characters that it has not seen either.
"""

SHORT = """## Where this falls short
"""
MISSING = "- Not run: {names}.\n"
COMPLETE = "- All recipes of this page were run.\n"
ONE_SEED = "- Several seeds: {names}. All else rests on one, and a cell won by little may be lost by another.\n"
NO_SEEDS = "- Every number rests on one seed so far.\n"
BEHIND = "- DooD is behind {rival}, by likelihood, on: {cells}.\n"
NEVER_BEHIND = "- By likelihood DooD is behind {rival} on no cell that was run.\n"
LOST = "- The error of DooD trained on MNIST is {home} at home and from {near} to {far} on other sets: short runs.\n"
