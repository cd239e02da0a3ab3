"""The words of the results page: headings, what our metrics mean, where protocols differ. No number of ours is here."""

# columns of the papers' tables
HEADINGS = {
    "s_acc": "S-Acc",
    "d_steps": "D-Steps",
    "log_likelihood": "LL",
    "ap_iou_0.50": "AP at 0.5",
    "ap_iou_0.50_to_0.95_step_0.05": "AP at 0.5 to 0.95",
    "z_what_classification_accuracy": "class from $z_{\\mathrm{what}}$",
}
DATASETS = {
    "arrow_room": "Arrow Room",
    "mnist_10": "MNIST-10",
    "mnist_4": "MNIST-4",
    "mnist_4_10": "MNIST-4-10",
    "mnist": "MNIST",
    "emnist": "EMNIST",
    "kmnist": "KMNIST",
    "quickdraw": "Quick, Draw!",
    "omniglot": "Omniglot",
}

# what the metrics of our run records mean
MEANINGS = {
    "count_mean": "objects found a scene, mean",
    "count_right": "share of scenes with the right number of objects",
    "ap50": "average precision of boxes at IoU 0.5",
    "ap50_95": "average precision, mean over IoU 0.5 to 0.95",
    "mse": "squared error a pixel of the reconstruction",
    "log_likelihood": "nats an image, of the reconstruction from the posterior's mode; not a bound of $\\log p(x)$",
    "structure_accuracy": "S, share of imagined scenes that obey the rule, read off the pixels by a parser; drawn as "
    "the paper draws them: $z_g$ from its prior, then the mode of $z_s$",
    "structure_true_accept": "t, share that the parser accepts of this model's reconstructions of real scenes: its own "
    "errors and the model's together",
    "structure_spread": "diversity of handwriting: standard deviation of a pixel within a class, over accepted scenes; "
    "comparable only between models of one handwriting; 0 where too few scenes are accepted",
    "structure_places": "standard deviation in pixels of places inside their 16-pixel cell: a model that knows slots "
    "and not places has little",
    "swept_accuracy": "S after two sweeps of pseudo-Gibbs, which leaves the paper's way of sampling",
    "swept_spread": "diversity of handwriting after the sweeps",
    "swept_places": "spread of places after the sweeps",
    "second_accuracy": "S by the second parser, of another architecture and seed",
    "d_steps": "steps until a classifier tells samples from scenes, median over three; 2,000 is the cap",
    "frechet": "Fréchet distance of samples to held-out scenes, in the parser's features",
    "likelihood": "importance-weighted bound with 100 samples, nats an image; presence is drawn hard",
    "relaxed_difference": "by how much it differs the released code's way, with relaxed presence: no bound",
    "recall_quadrant": "share of a held-out scene's digits that come back in their quadrant when $z_g$ alone is kept",
    "recall_place": "the same within half a cell of their place",
    "recall_pairs": "the same for the digits 0, 1, 8, 9 of MNIST-10",
    "recall_triples": "the same for the digits 2 to 7 of MNIST-10",
    "likelihood_effective": "how many of the 100 samples count, median over images",
    "relative_l1": "sum of absolute errors over the sum of ink, at the stop; a black page has 1",
    "relative_l1_1": "the same after one part",
    "relative_l1_2": "the same after two",
    "relative_l1_3": "the same after three",
    "relative_l1_all": "the same after all parts, whatever the stop says",
    "parts": "strokes or parts that a drawing has, mean",
    "parts_of_1": "the same for ones",
    "parts_of_8": "the same for eights",
    "parts_at_most": "share of drawings that use all parts they may",
    "scale": "scale of the likelihood: $b$ of a Laplace, the standard deviation of a normal one",
    "relative_l1_on_*": "relative L1 at the stop, on test characters of that set; the run's name has the one learned",
    "parts_on_*": "strokes or parts a drawing there",
    "stop_noise_exact": "standard deviation over draws of the gradient of $q(o)$, nats, by the exact sum over the stop",
    "stop_noise_nvil": "the same by NVIL, with a settled baseline, on the same model and images",
    "gap_x": "mutual information gap of the digit's $x$",
    "gap_y": "mutual information gap of the digit's $y$",
    "gap_class": "mutual information gap of the digit's class",
    "readout_x": "$R^2$ of a linear readout of $x$ from the whole code, on scenes not fitted",
    "readout_y": "$R^2$ of a linear readout of $y$ from the whole code, on scenes not fitted",
    "neighbours_x": "$R^2$ of a readout of $x$ from the five nearest codes, on scenes not fitted",
    "neighbours_y": "$R^2$ of a readout of $y$ from the five nearest codes, on scenes not fitted",
}

# tables of our runs: title, then the metrics that are its columns; an accuracy is printed with its interval
FAMILIES = {
    "Structure of imagined scenes": (
        "structure_accuracy", "structure_true_accept", "structure_spread", "structure_places",
        "swept_accuracy", "swept_spread", "swept_places",
    ),
    "Looks and likelihood": (
        "second_accuracy", "d_steps", "frechet", "likelihood", "likelihood_effective", "relaxed_difference",
    ),
    "What the global code gives back": ("recall_quadrant", "recall_place", "recall_pairs", "recall_triples"),
    "Boxes": ("count_mean", "count_right", "ap50", "ap50_95"),
    "Reconstruction of scenes": ("mse", "log_likelihood"),
    "What the numbers of a code are bound to": (
        "gap_x", "gap_y", "gap_class", "readout_x", "readout_y", "neighbours_x", "neighbours_y",
    ),
    "Drawings": (
        "relative_l1", "relative_l1_1", "relative_l1_2", "relative_l1_3", "relative_l1_all",
        "parts", "parts_of_1", "parts_of_8", "parts_at_most", "scale",
    ),
    "Drawings of all five sets, trained on one": tuple(
        f"{kind}_on_{data}" for data in ("mnist", "emnist", "kmnist", "quickdraw", "omniglot")
        for kind in ("relative_l1", "parts")
    ),
    "Noise of the stop's gradient": ("stop_noise_exact", "stop_noise_nvil"),
}  # fmt: skip

INTRODUCTION = """# Results

Our runs, then the papers' tables with our numbers beside them. `make results` writes this page from the run records
in `data/results/` and from `data/published.json`; nobody types a number into it.

"Not run" means that there is no run record of that model on that data. It says nothing about whether the number can
be reached.
"""

DIFFERENCES = """## Where our protocol differs

Read this before you compare two numbers.

- **Canvas.** GNM's scenes have 128x128 pixels, those of our `-lite` recipes 64x64. A log-likelihood is a sum over
  pixels, so the two cannot be compared. The runs in stages, `gnm-staged-`, have the paper's canvas and $\\sigma$, and
  with them its ceiling.
- **Pixel noise.** A likelihood under a Gaussian depends on its fixed $\\sigma$. GNM's released configuration uses 0.2;
  the `config` of a run record says what ours used.
- **Handwriting.** The published scenes are made of MNIST digits. Recipes with `digits` in their name use the
  handwriting bundled with scikit-learn: fewer writers, 8x8 originals. The scenes' rule is the same, the data set is
  another.
- **Structure accuracy.** GNM's authors judged 250 samples a model by eye. Ours is computed from the pixels of the
  samples by a parser that was trained on scenes without a rule. Of the 250 samples that the authors published it
  accepts {accepted}, they accepted 246. It can be wrong about a good scene, so its true-accept rate stands among the
  metrics. The columns `swept_…` are of scenes that were drawn in another way than the paper's.
- **Boxes.** Average precision is measured against the box of a digit's core, with the presence probability as
  confidence. The paper does not say how its true boxes were drawn.
- **Global prior.** Recipes with `gaussian` in their name have one Gaussian vector as the global code. This is the
  GNM-Gaussian of Table 2, without StructDRAW.
- **Discriminability.** D-Steps counts the steps of a classifier whose size and learning rate the paper does not give.
  Ours compare with each other only.
- **Size and budget.** Recipes that end in `-lite` are smaller models with schedules of their own, made for two
  processor cores. The released training loop of GNM runs for more than a million steps.
- **Strokes.** DooD's likelihoods are for 50x50 images. Its FID uses features of its own choice, so its scale holds
  within that table only.
"""
