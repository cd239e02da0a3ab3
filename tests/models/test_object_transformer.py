"""A prior over lists: probabilities that sum to one, no token that sees what comes after it, a rule that is learned."""

import itertools

import pytest
import torch
from torch import Generator
from torch._subclasses.fake_tensor import FakeTensorMode

from neurosym_lite.models.object_transformer import ObjectTransformer


def small(vocabulary: tuple[int, ...] = (2, 3), most: int = 2) -> ObjectTransformer:
    return ObjectTransformer(vocabulary, most, width=16, layers=2, heads=2)


def all_lists(vocabulary: tuple[int, ...], most: int) -> torch.Tensor:
    """Every list of at most `most` objects; ends are (end, 0, ...)."""
    objects = [list(each) for each in itertools.product(*(range(size) for size in vocabulary))]
    end = [vocabulary[0]] + [0] * (len(vocabulary) - 1)
    lists = []
    for n in range(most + 1):
        for each in itertools.product(objects, repeat=n):
            lists.append([*each, *[end] * (most - n)])
    return torch.tensor(lists)


def test_the_probabilities_of_all_lists_sum_to_one() -> None:
    model = small().double()
    lists = all_lists((2, 3), 2)
    assert len(lists) == 1 + 6 + 36
    torch.testing.assert_close((-model.nats(lists).sum(1)).exp().sum(), torch.tensor(1.0, dtype=torch.float64))


def test_no_token_sees_itself_or_what_comes_after_it() -> None:
    model = small((4, 5, 6), most=3).double().eval()
    tokens = torch.stack([torch.randint(size, (1, 3)) for size in (4, 5, 6)], dim=-1)
    embedded = model.embed(tokens).detach().requires_grad_()
    states = model.states(embedded)
    said = embedded[:, :, :1].sum(2)  # of each object its first token
    logits = model.logits(states[:, :-1], said, 1)[0, 1]  # the second token of the second object
    (seen,) = torch.autograd.grad(logits.sum(), embedded)
    reached = seen[0].abs().sum(-1) > 0
    assert reached.tolist() == [[True] * 3, [True, False, False], [False] * 3]


def test_a_rule_between_objects_is_learned_and_sampled() -> None:
    """The second object repeats the first one's second token; a third is there if that token is 0."""
    model = small((3, 4), most=3)
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)

    def batch(n: int) -> torch.Tensor:
        kind = torch.randint(4, (n,))
        first = torch.stack([torch.zeros_like(kind), kind], dim=1)
        second = torch.stack([torch.ones_like(kind), kind], dim=1)
        third = torch.stack([torch.where(kind == 0, 2, 3), torch.zeros_like(kind)], dim=1)
        return torch.stack([first, second, third], dim=1)

    for _ in range(250):
        loss = model.nats(batch(64)).sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 1.6  # log 4 = 1.39
    drawn = model.sample(400, Generator().manual_seed(0))
    assert (drawn[:, 0, 1] == drawn[:, 1, 1]).float().mean() > 0.95
    assert ((drawn[:, 2, 0] == 2) == (drawn[:, 0, 1] == 0)).float().mean() > 0.95
    assert torch.bincount(drawn[:, 0, 1], minlength=4).min() > 60


def test_after_an_end_comes_nothing_and_seeds_decide() -> None:
    model = small((2, 3), most=4)
    drawn, again, other = (model.sample(200, Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert drawn.shape == (200, 4, 2) and torch.equal(drawn, again) and not torch.equal(drawn, other)
    ended = drawn[..., 0] == 2
    assert ended.any() and (ended[:, 1:] >= ended[:, :-1]).all()
    assert drawn[..., 1].max() <= 2


def test_a_graph_can_be_made_of_it() -> None:
    """No branch on data, so that a GPU can record the step: tensors without numbers go through."""
    model, tokens = small(), all_lists((2, 3), 2)
    with FakeTensorMode(allow_non_fake_inputs=True):
        assert model.nats(tokens).shape == (len(tokens), 2)


@pytest.mark.parametrize("part", ["reads", "says", "transformer", "heads", "embedding"])
def test_every_part_learns(part: str) -> None:
    model = small()
    model.nats(all_lists((2, 3), 2)).sum().backward()
    for name, parameter in getattr(model, part).named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_a_width_that_heads_cannot_share_is_refused() -> None:
    with pytest.raises(ValueError, match="a transformer of width 10 has 4 heads: make width a multiple of heads"):
        ObjectTransformer((2, 3), 2, width=10, layers=1, heads=4)
