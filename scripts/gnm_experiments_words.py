"""The words of the page on GNM's experiments. No number of ours is here, and none of the papers'."""

INTRODUCTION = """# GNM's experiments

Tables 1, 2, 3 and 5 and figure 4 of {cite:t}`jiang2020gnm`, measured again: every baseline, every ablation. Chapter 5
explains what is measured and what it can hide. `make results` writes this page from the run records, the papers'
tables and `data/results/controls.json`; nobody types a number into it. **Each number of ours leads to its record.**

Ours are the small models of the book ("lite"): scenes of half the side, recipes that a laptop trains. So compare
down a column of ours, or down a published one, and not across.
"""

HOW_TO_READ = """## How to read the tables

- **S-Acc**: share of imagined scenes that obey the rule, read off their pixels, with its 95 % interval. *t* is the
  share accepted of the same model's redrawings of real scenes, so it holds what the parser gets wrong and what the
  model blurs. The truth lies between S and S / t.
- **D-Steps**: steps until a classifier tells samples from scenes; median and range of its seeds. More is better. ≥
  says that the cap was reached.
- **LL**: the importance-weighted bound in nats an image, with its standard error. Presence is drawn hard. A
  likelihood is a sum over pixels, so ours have another ceiling than the published ones.
- **Fréchet**: distance of samples to held-out scenes in the parser's features. Less is better.
- Where a recipe was run from several seeds: mean ± standard deviation, and each run.
"""

REAL = """### Real scenes in the place of samples

What a perfect model would get. The parser errs more often on scenes of ten digits, and the distance between two sets
of real scenes is not zero.
"""

TABLES = {
    "table_1": (
        "Table 1: scenes from the prior",
        "GNM against models without symbols (ConvDRAW draws features, GENESIS mixes images, a VAE has one vector).",
    ),
    "table_2_ablation": (
        "Table 2: what each part of GNM is good for",
        "From the full GNM to ConvDRAW, part by part: one Gaussian instead of StructDRAW, StructDRAW without MLPs, "
        "no boxes but MLPs, neither.",
    ),
    "table_3_mnist_4_10": (
        "Table 3: two kinds of scene at once",
        "Half the scenes are MNIST-4, half MNIST-10. Here the number of drawing steps and beta matter most.",
    ),
}
OURS_ALONE = "The paper has this table for MNIST-10 and the Arrow Room. Ours for MNIST-4:"
ABLATED = ("GNM", "GNM-Gaussian", "GNM-NoMLP", "GNM-8", "ConvDRAW", "ConvDRAW-MLP")

MEASURES = {
    "structure_accuracy": "structure accuracy",
    "d_steps": "D-Steps",
    "likelihood": "likelihood",
}
PUBLISHED_ORDER = "In the paper GNM is first in structure accuracy and D-Steps, and GENESIS last in likelihood. Ours:"
AS_PUBLISHED = "as published"
NOT_AS_PUBLISHED = "not as published"
UNDECIDED = "not all of them are run yet"

# why an order differs from the published one, by data set and measure
WHY: dict[tuple[str, str], str] = {}

PAPER_SIZE = "At the paper's size, which needs a GPU: {names}."

FIGURE_4 = """## Figure 4: beta, and the classifiers' curves

Left: a larger weight of the KL buys structure and costs likelihood. For a VAE and ConvDRAW the weight acts from the
start. For GNM it acts on a trained model that is trained on with it, since before that stage its loss is nothing but
KLs and a common factor would change nothing; beta 1 is the same further training without it. Right: accuracy of the
first classifier of each model, step by step; it stops where its D-Steps are reached.
"""

TABLE_5 = """## Table 5: parameters

Ours are counted from the configurations. Where the paper leaves the wiring open:

- **ConvDRAW**: the paper says neither what its LSTMs see nor how wide a step's latent is. Ours takes GNM's.
- **VAE**: its tables give a head of one width to a decoder of twice the information. Ours takes the half for the
  mean and the half for the standard deviation.
- **GENESIS**: the authors' public code has fewer parameters than the table says, and so has ours.
"""

FEW = """## Beyond the paper: from how many scenes?

The rule of MNIST-4 learned from a training set of finite size, everything else as in the full recipe. The paper's
sets have the largest of these sizes; the book's other runs draw every batch new.
"""

SECOND = """## Does the judge matter?

The same samples, read by a second parser: another architecture, another seed. The two have to agree within a point.
"""

RELAXED = """## Hard and relaxed presence

GNM's released code weighs samples in which an object is there by two thirds, and scores them as if it were there or
not. Such a weight is no ratio of densities, so what comes out bounds nothing. By how many nats an image it differs:
"""

DIFFERENCES = """## Why ours are not theirs

- **Size.** Ours have half the side, a fraction of the parameters and of the steps. What a baseline would reach with
  a hundred times the training stands in the published column, not in ours.
- **Judge.** Theirs is a person with a sheet of samples, ours a parser with a rule and a tolerance in pixels.
- **Schedules.** Ours train GNM in stages, first the symbols, then the prior. The paper trains all at once.
- **Likelihood.** The width of the pixel noise is scaled with the canvas, so that evidence weighs the same against the
  KLs. Its ceiling is then another one.
- **GENESIS.** Its slots did not part at the full weight of the KLs from the start, so its recipe raises it. The paper
  found the same model hard to train, and changed its learning rate and objective.
"""

ALT_FIGURE_4 = (
    "Three plots. Structure accuracy against beta; likelihood against beta; accuracy of a classifier against its "
    "steps, a line a model."
)
ALT_FEW = "A plot of structure accuracy, with intervals, against the number of training scenes on a logarithmic axis."
