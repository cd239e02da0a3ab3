"""What does z_what know? Facts about an object, read off the code of its looks alone (GNM, appendix B.2, table 4).

A classifier with one hidden layer (the paper's two-layer MLP) learns to name the object nearest to each inferred box
from the mean of its z_what, on scenes of training characters; it is scored on held-out scenes. A vote of the five
nearest codes stands beside it: what needs no training to be read.

scikit-learn takes seconds to import, so the function that needs it imports it.
"""

import warnings
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosym_lite.data.arrow_room import ArrowScenes
from neurosym_lite.data.scenes import Scenes
from neurosym_lite.models.gnm import GNM
from neurosym_lite.models.space import Space

BATCH = 100  # scenes at a time
HIDDEN = 128  # of the classifier
NEIGHBOURS = 5
EPOCHS = 60  # of the classifier


class Codes(NamedTuple):
    """M objects that a model found, over all scenes."""

    what: Float[Tensor, "M D"]
    """Means of z_what."""
    facts: dict[str, Int[Tensor, "M"]]
    """Facts about the true object nearest to each."""


@torch.no_grad()
def object_codes(model: GNM | Space, scenes: Scenes | ArrowScenes) -> Codes:
    """z_what of every present object, with the facts about the true object whose centre is nearest."""
    what, number = [], []
    front = model.foreground if isinstance(model, Space) else model
    for first, images in zip(range(0, len(scenes.images), BATCH), scenes.images.split(BATCH), strict=False):
        objects = front.infer(images.float() / 255, mode=True).objects
        present = objects.pres.mode() > 0.5
        centre = (front.boxes(objects.where.mean).shift + 1) * (front.config.image_size / 2)
        corners = scenes.boxes[first : first + BATCH]
        true = (corners[..., :2] + corners[..., 2:]) / 2
        distance = (centre[:, :, None] - true[:, None]).norm(dim=-1)
        nearest = distance.masked_fill(~scenes.present[first : first + BATCH, None], torch.inf).argmin(2)
        rows = first + torch.arange(len(images))[:, None]
        what.append(objects.what.mean[present])
        number.append((rows * scenes.labels.shape[1] + nearest)[present])
    each = torch.cat(number)
    return Codes(torch.cat(what), {name: fact.flatten()[each] for name, fact in facts(scenes).items()})


def facts(scenes: Scenes | ArrowScenes) -> dict[str, Int[Tensor, "B N"]]:
    """What there is to be known about each object: a digit's class; a solid's shape, colour and material."""
    if isinstance(scenes, ArrowScenes):
        return {"shape": scenes.labels, "colour": scenes.colours, "metal": scenes.metal.long()}
    return {"class": scenes.labels}


def what_metrics(model: GNM | Space, train: Scenes | ArrowScenes, test: Scenes | ArrowScenes) -> dict[str, float]:
    """Accuracy on test scenes of the classifier, `what_FACT`, and of the neighbours' vote, `what_FACT_neighbours`.

    0 where the model finds no objects.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    seen, asked = object_codes(model, train), object_codes(model, test)
    readers = {
        "": MLPClassifier((HIDDEN,), max_iter=EPOCHS, random_state=0),
        "_neighbours": KNeighborsClassifier(NEIGHBOURS),
    }
    metrics = {}
    for fact, truth in asked.facts.items():
        for suffix, reader in readers.items():
            metrics[f"what_{fact}{suffix}"] = 0.0
            if len(asked.what) and len(seen.what) > NEIGHBOURS:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", ConvergenceWarning)
                    fitted = make_pipeline(StandardScaler(), reader).fit(seen.what.numpy(), seen.facts[fact].numpy())
                metrics[f"what_{fact}{suffix}"] = float(fitted.score(asked.what.numpy(), truth.numpy()))
    return metrics
