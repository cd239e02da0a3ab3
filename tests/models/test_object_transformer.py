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


def louder(vocabulary: tuple[int, ...], most: int, seed: int = 0) -> ObjectTransformer:
    """A model that has opinions; a fresh one finds everything about as likely.

    With one layer, what the last of some objects attends to is what it would with nothing after it.
    """
    torch.manual_seed(seed)
    model = ObjectTransformer(vocabulary, most, width=16, layers=1, heads=2).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return model


def test_nats_are_those_by_hand() -> None:
    """Object by object, each from a transformer that is given the objects before it and nothing else."""
    model, tokens = (
        louder((2, 3, 4), 3),
        torch.tensor([[[1, 2, 3], [0, 0, 1], [2, 0, 0]], [[0, 1, 2], [1, 1, 1], [1, 2, 0]]]),
    )
    rows = [model.embedding.weight[offset:] for offset in (0, 3, 6)]  # the first has an end too
    vectors = torch.stack([rows[j][tokens[..., j]] for j in range(3)], dim=2)
    want = torch.zeros(2, 3, dtype=torch.float64)
    for b in range(2):
        for n in range(3):
            if n and tokens[b, n - 1, 0] == 2:
                break  # the list has ended
            before = [model.start, *(model.reads(vectors[b, i].sum(0)) for i in range(n))]
            seen = torch.stack(before) + model.places[: n + 1]
            state = model.norm(model.transformer(seen[None]))[0, -1]
            for j in range(3 if tokens[b, n, 0] != 2 else 1):
                known = state + vectors[b, n, :j].sum(0)
                logits = model.heads[j](model.last_norm(known + model.says(known + model.turns[j])))
                want[b, j] -= logits.log_softmax(0)[tokens[b, n, j]]
    torch.testing.assert_close(model.nats(tokens), want)


def test_layers_norm_what_they_read_and_not_what_they_add_to() -> None:
    assert all(layer.norm_first for layer in small().transformer.layers)


def test_samples_are_as_frequent_as_they_are_likely() -> None:
    model, lists = louder((1, 2, 2), 2, seed=2), all_lists((1, 2, 2), 2)
    likely = (-model.nats(lists).sum(1)).exp().detach()
    drawn = model.sample(4000, Generator().manual_seed(0))
    drawn = torch.where(drawn[..., :1] == 1, torch.tensor([1, 0, 0]), drawn)  # what follows an end says nothing
    frequent = (drawn[:, None] == lists).all(-1).all(-1).double().mean(0)
    assert frequent.sum() == 1 and likely.max() < 0.5 and likely.topk(8).values.min() > 0.01
    torch.testing.assert_close(frequent, likely, atol=0.025, rtol=0)
