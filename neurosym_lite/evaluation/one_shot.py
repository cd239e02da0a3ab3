"""One-shot classification by strokes (DooD, section 3.2 and appendix D.2.3): whose strokes can draw this drawing?

The strokes of each drawing of an episode are laid onto each other one (`stroke_fit.py`). A pair's score is the log
likelihood of the drawing, less what the moves cost. Nobody tells the model a stroke or a class.

One way, a query goes to the support whose strokes draw it best (the paper). Two ways, the query's strokes have to draw
the support as well, as in BPL (Lake et al. 2015) and GNS (Feinman and Lake 2020): log p(query | support) plus
log p(support | query) - log p(support). For the last stands how well the other supports' strokes draw it.

Together is another task, kept apart: there all queries' strokes stand for log p(support), and the way back counts in
full. A query is named with the other nineteen in sight. The published numbers are not of that kind.
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neurosym_lite.data.one_shot import Episode
from neurosym_lite.evaluation.images import mean_and_error
from neurosym_lite.evaluation.stroke_fit import DEFAULT, FitConfig, fit, strokes_of
from neurosym_lite.models.dood import DooD


def evidence(scores: Float[Tensor, "S n"], temperature: float) -> Float[Tensor, "S"]:
    """log p of each drawing, up to a constant: a soft maximum of how well n others' strokes draw it.

    Pixels hang together, so their nats count too much: hence the temperature.
    """
    return temperature * (scores / temperature).logsumexp(1)


def two_ways(
    forward: Float[Tensor, "S Q"],
    backward: Float[Tensor, "Q S"],
    among_supports: Float[Tensor, "S S"],
    config: FitConfig = DEFAULT,
) -> Float[Tensor, "S Q"]:
    """Scores of both ways: from support to query, and back; `among_supports` lays each support's strokes onto each."""
    others = among_supports.T.masked_fill(torch.eye(len(forward), dtype=torch.bool), -torch.inf)
    back = backward.T - evidence(others, config.temperature)[:, None]
    return forward + config.back_share * back


def together(
    forward: Float[Tensor, "S Q"], backward: Float[Tensor, "Q S"], config: FitConfig = DEFAULT
) -> Float[Tensor, "S Q"]:
    """Scores of both ways with all queries in sight: each support asks how well all queries' strokes draw it."""
    return forward + backward.T - evidence(backward.T, config.temperature)[:, None]


def right(scores: Float[Tensor, "N N"], match: Int64[Tensor, "N"]) -> float:
    """Share of queries whose best support is the one that they match."""
    return float((scores.argmax(0) == match).float().mean())


def classify(model: DooD, episode: Episode, config: FitConfig = DEFAULT) -> dict[str, float]:
    """Shares of queries that are named rightly in one episode, by the score that decides."""
    support, query = episode.support.float() / 255, episode.query.float() / 255
    of_support, of_query = (strokes_of(model, images, config) for images in (support, query))
    forward, backward = fit(of_support, support, query, config), fit(of_query, query, support, config)
    among = fit(of_support, support, support, config)
    scores = {
        "one_way": forward.score(config),
        "likelihood": forward.log_likelihood,
        "backward": backward.score(config).T,
        "two_way": two_ways(forward.score(config), backward.score(config), among.score(config), config),
        "together": together(forward.score(config), backward.score(config), config),
    }
    return {name: right(values, episode.match) for name, values in scores.items()}


def over_episodes(shares: list[dict[str, float]], prefix: str) -> dict[str, float]:
    """Mean over the episodes of each share, and its standard error."""
    metrics = {}
    for name in shares[0]:
        values = torch.tensor([share[name] for share in shares])
        metrics[f"{prefix}_{name}"], metrics[f"{prefix}_{name}_error"] = mean_and_error(values)
    return metrics


def one_shot_metrics(model: DooD, episodes: list[Episode], config: FitConfig = DEFAULT) -> dict[str, float]:
    """`one_shot_one_way`, `one_shot_two_way`, `one_shot_together` and their standard errors over episodes.

    Also by the likelihood alone, without the cost of moves, and by the way back alone.
    """
    return over_episodes([classify(model, episode, config) for episode in episodes], "one_shot")
