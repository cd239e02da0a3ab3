"""The successor's vocabulary: kinds and styles, by k-means over what its reader sees of training scenes.

A kind is a centre. A style is the look nearest to a centre, and not the centre: an average of strokes is paler than any
of them, and averages are more alike than looks are. Made between two stages of training, once: the reader and the codec
stand still from then on.
"""

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from neurosym_lite.data.fixed_scenes import SceneStream
from neurosym_lite.models.successor import Successor

CHUNK = 256  # scenes looked at a time
CHUNKS = 160
LEAST_MEMBERS = 20  # objects a style, or a kind gets fewer styles
BATCH = 4096  # objects a step of k-means


@torch.no_grad()
def fit_codebooks(model: Successor, source: SceneStream, generator: Generator) -> None:
    """Write `kinds` and `styles` into the model. A kind with few members repeats its first style."""
    expected, codes = [], []
    for _ in range(CHUNKS):
        seen = model.look(source.batch(CHUNK, generator).images.float() / 255)
        expected.append(seen.expected[seen.present])
        codes.append(model.encode(seen.crops)[seen.present])
    answers, looks = torch.cat(expected), torch.cat(codes)
    model.kinds.copy_(centres(answers, len(model.kinds)))
    kind = model.kind_of(answers)
    for number in range(len(model.kinds)):
        members = looks[kind == number]
        wanted = min(model.styles.shape[1], max(1, len(members) // LEAST_MEMBERS))
        found = exemplars(members, wanted) if len(members) else torch.zeros_like(model.styles[number, :1])
        model.styles[number] = found[0]
        model.styles[number, :wanted] = found


def exemplars(points: Float[Tensor, "N D"], count: int) -> Float[Tensor, "count D"]:
    """The point nearest to each centre."""
    return points[torch.cdist(centres(points, count), points).argmin(1)]


def centres(points: Float[Tensor, "N D"], count: int) -> Float[Tensor, "count D"]:
    """k-means centres, the same for the same points. scikit-learn takes seconds to import, so it is imported here."""
    from sklearn.cluster import MiniBatchKMeans

    fitted = MiniBatchKMeans(count, n_init=1, random_state=0, batch_size=BATCH).fit(points.cpu().numpy())
    return torch.from_numpy(fitted.cluster_centers_).to(points)
