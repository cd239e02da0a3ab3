"""The words of the page on GNM's experiments. No number of ours is here, and none of the papers'."""

INTRODUCTION = """# GNM's experiments

Tables 1, 2, 3 and 5 and figure 4 of {cite:t}`jiang2020gnm` for the scenes of MNIST digits, measured again. Chapter 5
explains what is measured and what it can hide. `make results` writes this page from the run records, the papers'
tables and `data/results/controls.json`; nobody types a number into it. **Each measured number leads to its record.**

Ours are the small models of the book ("lite"): scenes of half the side, recipes that a laptop trains. So compare
ours with ours and published numbers with published ones, and not one with the other. Where a table is of the paper's
size it says so; its scenes have the paper's side.
"""

HOW_TO_READ = """## How to read the tables

- **S-Acc**: share of imagined scenes that obey the rule, read off their pixels. *t* is the share accepted of the same
  model's redrawings of real scenes, so it holds what the parser gets wrong and what the model blurs. Scenes spoilt by
  a wrong digit hardly ever pass, so the truth lies about between S and S / t. Where t is below S, that ratio says
  nothing.
- **D-Steps**: steps until a classifier tells samples from scenes; median and range over classifiers. More is better. ≥
  says that the cap was reached: such models cannot be ranked. [Below](what-d-steps-see) is what the number is worth.
- **LL**: the importance-weighted bound in nats an image. Presence is drawn hard.
  A likelihood is a sum over pixels, so our lite models have another ceiling than the published ones; those in stages at
  the paper's size have the same. **ESS** says how many of the samples carry the bound: where it is near one, the bound
  is that of the single best sample, and how much is missing differs from model to model.
- **Fréchet**: distance of samples to held-out scenes in the parser's features. Less is better.
- One run: a share with its 95 % interval, LL and Fréchet with a standard error. They say what other scenes, imagined or
  held out, would have changed for the same network. Another training can change more: several seeds are mean ± standard
  deviation over trainings, and each run.
"""

REAL = """### Real scenes in the place of samples

What a model would get that draws new scenes from the training set's handwriting. The parser errs more often on scenes
of ten digits. The distance of two sets of real scenes is not zero, since a set is not all scenes: mean ± standard
deviation over pairs of sets.
"""

TABLES = {
    "table_1": (
        "Table 1: scenes from the prior",
        "GNM against models without symbols (ConvDRAW draws features, GENESIS mixes images, a VAE has one vector).",
    ),
    "table_2_ablation": (
        "Table 2: what each part of GNM is good for",
        "One Gaussian instead of StructDRAW; StructDRAW without MLPs; MLPs without boxes; neither. Our GNM's prior of "
        "a step is a mixture, which neither ablation can have. GNM-single is their control on MNIST-4, with one "
        "Gaussian a step.",
    ),
    "table_3_mnist_4_10": (
        "Table 3: two kinds of scene at once",
        "Half the scenes are MNIST-4, half MNIST-10. Our GNM with a beta in its name is the trained GNM, or GNM-8, "
        "without it, trained on with that beta; beta 1 is the control of that.",
    ),
}
# what table 3 turns: the published rows before and after, and ours where the one before is another
TURNED = (
    ("Eight drawing steps", ("GNM", "GNM-8"), ()),
    ("Beta 2", ("GNM", "GNM-beta-2"), ("GNM-beta-1", "GNM-beta-2")),
    ("Beta 2 after eight drawing steps", ("GNM-8", "GNM-8-beta-2"), ("GNM-8-beta-1", "GNM-8-beta-2")),
    ("Beta 10 for ConvDRAW", ("ConvDRAW", "ConvDRAW-beta-10"), ()),
    ("Beta 10 for ConvDRAW with eight steps", ("ConvDRAW-8", "ConvDRAW-8-beta-10"), ()),
)
TURNED_INTRO = "What each change does to structure accuracy, published and ours, one training each:"
TURNED_SAID = "- {what}: {before} to {after}; ours {said}."
OURS_ALONE = "The paper has this table for MNIST-10 and the Arrow Room. Ours for MNIST-4:"
CONTROLS = {"table_3_mnist_4_10": ("GNM-beta-1", "GNM-8-beta-1")}  # rows of ours below the paper's
ABLATED = ("GNM", "GNM-single", "GNM-Gaussian", "GNM-NoMLP", "GNM-8", "ConvDRAW", "ConvDRAW-MLP")

# by measure: its name, what the paper's tables say of it, of whom, and where that model stands (first, last)
CLAIMS = {
    "structure_accuracy": ("structure accuracy", "GNM first", "GNM", 0),
    "d_steps": ("D-Steps", "GNM first", "GNM", 0),
    "likelihood": ("likelihood", "GENESIS last", "GENESIS", -1),
}
PUBLISHED_ORDER = (
    "In the paper GNM is first in structure accuracy and D-Steps, and GENESIS last in likelihood. Ours, by their means "
    "where several seeds were run:"
)
HOLDS = "yes, as published"
DEPENDS = "of some seeds, and of others not"
FAILS = "no, other than published"
UNDECIDED = "not all of them are run yet"
TIED = "cannot be said, all its runs are at the cap with others"
CAPPED = "With runs at the cap, where nothing can be ranked: {rows}."

# why an order differs from the published one, by measure; a test holds what is said here against the records
WHY = {
    "d_steps": "The number says when one network is right nine times of ten, whatever it goes by. What gives samples "
    "away need not be what is wrong with them: see [what D-Steps see](what-d-steps-see).",
    "likelihood": "GENESIS is scored as a mixture, pixel by pixel. Where a black slot and a white one "
    "share a pixel it pays at most the log of their number, and the others pay for the squared distance of what they "
    "draw. Its own mean redraws a scene worse than any other model does.",
}

PAPER_SIZE = "At the paper's size, trained as the paper trains, which needs a GPU: {names}."
IN_STAGES = (
    "With the paper's sizes at 128 pixels, but wired and trained in stages as our lite GNM (`{recipe}`, {millions} "
    "million parameters, {steps} steps where the lite one has {lite}, {minutes} minutes on an {device} that it shared "
    "with three other runs):"
)
STOPPED = "stopped after {step} of {steps}"

FIGURE_4 = """## Figure 4: beta, and the classifiers' curves

On MNIST-4, and GNM on MNIST-10 as well (the paper: MNIST-10 and the Arrow Room). In the paper a larger weight of the KL
buys structure and costs likelihood: above, left and right. For a VAE and ConvDRAW the weight is reached early in
training. For GNM it acts on a trained model that is trained on with it: in the stage that learns its prior the loss is
nothing but KLs, and a common factor would change nothing. Beta 1 is the same further training without it. All of GNM's
go on from the same weights, those of its first seed, so their ± says what further steps change, not what another
training would. Below: accuracy of the first classifier of each model, step by step; it stops where its D-Steps are
reached.
"""
BY_BETA = (
    "- {model}, from the smallest beta to the largest that was run: structure accuracy {structure}, likelihood "
    "{likelihood}{once}."
)
ONCE = " (one run each)"
RISES, FALLS, SAME = "rises", "falls", "does not change by more than its error"

SEEN = (
    "GNM", "GNM-single", "GNM-Gaussian", "GNM-NoMLP", "GNM-8", "GNM-beta-1", "GNM-beta-2", "GENESIS", "ConvDRAW",
    "ConvDRAW-8", "ConvDRAW-MLP", "VAE",
)  # fmt: skip
SEEN_INTRO = """(what-d-steps-see)=
## What D-Steps see

D-Steps say when one network, trained at one rate, tells samples from scenes nine times of ten. They do not say how
large the differences are, and a network that stands still a little below never gets there. Beside them, for MNIST-4,
stand two plain numbers of the samples. The spread of handwriting is the standard deviation of a pixel among digits of a
class, over accepted scenes (a dash where too few are). The other needs no network: how often does a
threshold on **one number** of an image, its count of pixels of nearly full ink, tell a sample from a real scene? The
threshold is chosen on half of the images and tried on the other half; a coin would be right half of the time.
"""
ALL_TOLD = (
    "The one number gives away every model of this table whose first run reaches the cap, nine times of ten or more. "
    "To be told apart late is not to be like real scenes."
)
AT_CAP = "Nor does a classifier guess at the cap. How often the first one was right there: {ends}."
SOME_TOLD = (
    "Of the {capped} models whose first run reaches the cap, the one number gives away {told}, nine times of ten or "
    "more."
)

TABLE_5 = """## Table 5: parameters

Ours are counted from the configurations; for the Arrow Room, of GNM alone. Where the paper leaves the wiring open:

- **ConvDRAW**: the paper says neither what its LSTMs see nor how wide a step's latent is. Ours takes GNM's.
- **VAE**: in its tables the head gives as many numbers as the decoder takes, but it has to give a mean and a standard
  deviation of each. Ours gives half of them to either, so its decoder takes half as many.
- **GENESIS**: the authors' public code has fewer parameters than the table says, and so has ours.

The paper does not count its ablations. More drawing steps, as in ConvDRAW-8 and GNM-8, share their weights and add
none.
"""

FEW = """## Beyond the paper: from how many scenes?

The rule of MNIST-4 learned from a training set of finite size, with as many steps as the full recipe. The paper's
sets have the largest of these sizes. The book's other runs have no fixed set: their symbols are learned from scenes
that are new in every batch, the prior of $z_g$ from a bank of {bank} scenes, drawn once, and the last {steps} steps
train both on new ones. They stand in the last row, and in the picture their seeds are the bands.

*Swept* is structure accuracy after two sweeps, *spread* that of handwriting within a class. *Copied* is the share of
imagined scenes that lie nearer, pixel by pixel, to a scene of the training set than to any of as many others: one half
is no copying. Its error is what the luck of one set is worth: how far such shares scatter for sets that the model has
not seen. {{cite:t}}`meehan2020copying` ask the same by ranks of distances.
"""
FEW_COLUMNS = ("scenes", "S-Acc", "swept", "spread", "Fréchet", "LL", "D-Steps", "copied")
NO_SET, NOT_MEASURED = "no fixed set", "not measured"
LEAST = (
    "Structure accuracy does not grow with the training set: the lowest runs are of "
    "{sizes} scenes. Two trainings from sets of one size can differ as much: see [what they differ "
    "in](what-trainings-differ-in)."
)
BY_HEART = (
    "Learned by heart: the sets of {sizes} scenes. Structure accuracy, handwriting and the Fréchet distance do not "
    "show it; the likelihood of held-out scenes does."
)
IN_PART = "Copied in part: {sizes} scenes."
NO_COPIES = "No copying is noticed, within twice the error: {sizes} scenes."
ALT_COPIES = (
    "Four rows of eight scenes. Imagined after training on the smallest set, and below them the nearest training "
    "scenes: nearly all pairs are the same picture, stroke by stroke. Imagined after training on a larger one, and the "
    "nearest of those: places are alike, strokes differ, and in about half of the pairs some of the digits, too."
)

BY_HEART_ABOVE = 0.9  # share of imagined scenes that are nearer to the training set: above this it was learned by heart
SAME_PRICE = ("GNM", "GNM-single", "GNM-8")  # besides the finite sets: one schedule of beta_g for all
SEEDS = """(what-trainings-differ-in)=
## What trainings at one price differ in

Structure accuracy changes from seed to seed by more than its error, and so does what $z_g$ says. Below are all
trainings on MNIST-4 by GNM's own schedule of prices: GNM, with one Gaussian a step, with more steps, and from finite
sets, but for those that were copied. The most silent $z_g$ comes first. The two KLs are those of the last thousand
steps, in nats a scene: what $z_g$ costs, and what the cells still pay for places.
"""
CPU = "CPU"
PLACES, STRUCTURE, LIKELIHOOD = "the KL of places", "structure accuracy", "likelihood"
RELATED = "Rank correlation with the KL of $z_g$, over {runs} runs: {said}."
SPEAKS_MORE = (
    "For each nat that $z_g$ says more, the cells pay {saved} less for places: trainings differ in how much "
    "of the places they let into $z_g$. A prior that has more to say has more to get wrong, which would explain that "
    "fewer of its scenes obey."
)
SPOKEN, SIDES = "the KL of $z_g$", "{} {} on the CPU and {} on the GPU"
MACHINES = (
    "{many} of the runs were trained on both machines. From one seed they draw different noise, so each is a training "
    "of its own: {said}, mean and spread over seeds."
)
ALIKE = "The machines differ by no more than seeds do."
UNLIKE = "The machines differ by more than seeds do."

SECOND = """## Does the judge matter?

The same samples, read by a second parser: another architecture, another seed.
"""
A_POINT = 0.01
ALL_RUNS = "All runs"
AGREE, DISAGREE = "They agree within a point.", "They agree within a point but for {far}."

RELAXED = """## Hard and relaxed presence

GNM's released code draws presence relaxed, so that an object may be there by two thirds, and scores it as if it were
there or not. Such a weight is no ratio of densities, so what comes out bounds nothing. The code also weighs boxes and
looks of absent cells, which are never drawn. By how many nats an image the two together differ from the bound, measured
on some of the scenes, where *hard* is of all, is a matter of the model.
"""

BETWEEN = "From {0} nats to {2}, and in the middle {1}.\n"

DIFFERENCES = """## Why ours are not theirs

- **Size.** Ours have half the side, but for those in stages at the paper's size, and a fraction of the parameters and
  of the steps. What a baseline reaches with the paper's training stands in the published column, not in ours.
- **Model.** Our small GNM reads looks from a crop at the box, has heads of its own for the prior, shows symbols instead
  of features to $z_g$, has attention before the first drawing step and a mixture in the prior of each, and lets absent
  cells pay for their presence alone. Chapter 4 says why, and what those of them buy that were tried alone. Its
  ablations inherit all that they can.
- **Judge.** Theirs is a person with a sheet of samples, ours a parser with a rule and a tolerance in pixels.
- **Schedules.** Ours train GNM in stages, first the symbols, then the prior. The paper trains all at once.
- **Likelihood.** The width of the pixel noise is scaled with the canvas, so that evidence weighs the same against the
  KLs. For the lite models its ceiling is then another one.
- **GENESIS.** Its slots did not part at the full weight of the KLs from the start, so its recipe raises it. The paper
  found the same model hard to train, and changed its learning rate and objective.
"""

ALT_FIGURE_4 = (
    "Three plots. Structure accuracy against beta; likelihood against beta; accuracy of a classifier against its "
    "steps, a line a model."
)
ALT_FEW = (
    "A plot of structure accuracy, with intervals, against the number of training scenes on a logarithmic axis: "
    "ancestral, and above it after two sweeps. Bands say where the seeds lie that have no fixed set."
)
