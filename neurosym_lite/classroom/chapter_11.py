"""Chapter 11, what came next: its exercises."""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from neurosym_lite.classroom.exercises import Exercise, Mistake, SameNumber, same_function

# ---- 11.1: what a hole costs

HOLE = 0.04  # share of the prior's mass

PRICE = Exercise(
    number="11.1",
    asks="by how many nats a scene log p of real codes rises when a hole of 4 % of the prior's mass is closed",
    solution=-math.log(1 - HOLE),
    same=SameNumber(0.0005),
    mistakes=(
        Mistake(HOLE, "close, and not by chance: -log(1 - h) is about h for a small h; give the logarithm"),
        Mistake(-math.log(HOLE), "this is the cost of naming the hole; real codes are not there, they lose the rest"),
        Mistake(math.log(1 - HOLE), "closing the hole makes real codes likelier: the change is positive"),
        Mistake(math.log(1 + HOLE), "densities are divided by 1 - h when the mass comes back, not multiplied by 1 + h"),
        Mistake(HOLE / (1 - HOLE), "by so much, as a share, the density rises; asked is the change of its logarithm"),
        Mistake(-math.log2(1 - HOLE), "these are bits; a nat is the unit of the natural logarithm"),
    ),
    praise="a twenty-fifth of a nat, in models that count in thousands: likelihood does not look for it",
    otherwise="outside the hole the prior has 1 - h of the density that it could have; take the logarithm",
)  # fmt: skip

# ---- 11.2: all candidates in the hole

# (hole, candidates)
DRAWS = ((0.25, 6), (0.25, 1), (0.5, 2), (0.9, 10), (0.0, 3))


def left(hole: float, candidates: int) -> float:
    """One candidate has to be taken: the choice fails only where all of them are in the hole."""
    return hole**candidates


LEFT = Exercise(
    number="11.2",
    asks="a function left(hole, candidates): the share of chosen draws in the hole, with a perfect critic",
    solution=left,
    same=same_function(*DRAWS, tolerance=1e-5),
    mistakes=(
        Mistake(lambda hole, n: hole / n, "each candidate more helps by a factor here, it does not share out the hole"),
        Mistake(
            lambda hole, n: 1 - (1 - hole) ** n,
            "this is the chance that some candidate is in the hole; the choice fails only if all are",
        ),
        Mistake(
            lambda hole, n: (1 - hole) ** n,
            "the chance that no candidate is in the hole; you want that of the opposite extreme",
        ),
        Mistake(lambda hole, n: hole ** (n - 1), "with one candidate there is nothing to choose: the hole stays"),
        Mistake(lambda hole, n: hole, "with more than one candidate there is something to choose from"),
    ),
    praise="a quarter becomes one in four thousand with six candidates; what stays is what the critic cannot see",
    otherwise="draws are independent: multiply the chances that each of them is in the hole",
)  # fmt: skip

# ---- 11.3: what a sentence costs

FIRST = (0.5, 0.25, 0.25)
FOLLOWS = ((0.1, 0.6, 0.3), (0.2, 0.3, 0.5), (0.7, 0.2, 0.1))
SENTENCES = ((0, 1, 2), (2, 2, 0, 1), (1,), (1, 0))


def nats_by_word(words: Sequence[int], first: Sequence[float], follows: Sequence[Sequence[float]]) -> list[float]:
    """The chain rule with a memory of one word."""
    chances = [first[words[0]], *(follows[v][w] for v, w in pairwise(words))]
    return [-math.log(chance) for chance in chances]


def _other_way(words: Sequence[int], first: Sequence[float], follows: Sequence[Sequence[float]]) -> list[float]:
    turned = [list(column) for column in zip(*follows, strict=True)]
    return nats_by_word(words, first, turned)


def _without_first(words: Sequence[int], first: Sequence[float], follows: Sequence[Sequence[float]]) -> list[float]:
    return nats_by_word(words, first, follows)[1:]


NATS = Exercise(
    number="11.3",
    asks="a function nats_by_word(words, first, follows): -log p of each word of a sentence, as a list",
    solution=nats_by_word,
    same=same_function(*((words, FIRST, FOLLOWS) for words in SENTENCES), tolerance=1e-4),
    mistakes=(
        Mistake(_other_way, "follows[v][w] has the word before as its first index"),
        Mistake(_without_first, "the first word costs something too: it is drawn from `first`"),
        Mistake(
            lambda words, first, follows: sum(nats_by_word(words, first, follows)),
            "this is the whole sentence; word by word is asked for, as a list",
        ),
        Mistake(
            lambda words, first, follows: [-value for value in nats_by_word(words, first, follows)],
            "these are log-probabilities; a cost is minus that",
        ),
        Mistake(
            lambda words, first, follows: [value / math.log(2) for value in nats_by_word(words, first, follows)],
            "these are bits; a nat is the unit of the natural logarithm",
        ),
        Mistake(
            lambda words, first, follows: [-math.log(first[w]) for w in words],
            "after the first word the one before is known: use `follows`",
        ),
        Mistake(
            lambda words, first, follows: [math.exp(-value) for value in nats_by_word(words, first, follows)],
            "these are the probabilities; take minus the logarithm of each",
        ),
    ),
    praise="the sum is -log p of the sentence; word by word one sees where it is decided",
    otherwise="the first word by `first`, each later one by the row of `follows` that belongs to the word before it",
)

# ---- 11.4: row by row, without a sense of place

SCENES = tuple((c, c + 1, c + 3, c + 2) for c in range(7))  # classes of MNIST-4, row by row
_FOLLOWED = Counter(v for scene in SCENES for v in scene[:3])  # how often each word is followed by one
_LATER = sum(math.log(_FOLLOWED[v]) for scene in SCENES for v in scene[:3]) / len(SCENES)

ROWS = Exercise(
    number="11.4",
    asks="nats that a table of what follows what spends on the sentence c, c+1, c+3, c+2, on average, with c from 0 "
    "to 6",
    solution=math.log(7) + _LATER,
    same=SameNumber(0.02),
    mistakes=(
        Mistake(math.log(7), "this is for a table that knows where it is in the sentence; here 4 may be followed by 5, "
                "6 or 3"),
        Mistake(_LATER, "the three later words; the first is drawn among seven"),
        Mistake(math.log(7) + 3 * math.log(3), "not every word has three followers: a 0 is always first, a 9 always "
                "third"),
        Mistake((math.log(7) + _LATER) / 4, "this is for one word; a sentence has four"),
        Mistake(4 * math.log(7), "this is for words drawn alone, each among seven"),
        Mistake(
            math.log(7) + 3 * sum(map(math.log, _FOLLOWED.values())) / 10,
            "words do not come equally often: go through the seven sentences, not through the ten words",
        ),
    ),
    praise="not knowing one's place in the sentence costs more than the first word itself",
    otherwise="begin with the table: by which words, and how often, is each word followed? Then read one sentence",
)  # fmt: skip

# ---- 11.5: the causal mask

SCORES = (torch.tensor([[0.0, 9.0], [1.0, -1.0]]), torch.arange(9.0).view(3, 3).sin(), torch.zeros(4, 4))


def causal(scores: Tensor) -> Tensor:
    """Softmax over those that are not later."""
    return (scores + torch.full_like(scores, -torch.inf).triu(1)).softmax(1)


def _zeros_for_mask(scores: Tensor) -> Tensor:
    return scores.tril().softmax(1)


def _masked_after(scores: Tensor) -> Tensor:
    return scores.softmax(1).tril()


def _strict(scores: Tensor) -> Tensor:
    return (scores + torch.full_like(scores, -torch.inf).triu(0)).softmax(1)  # the first row is not a number


def _earlier_masked(scores: Tensor) -> Tensor:
    return (scores + torch.full_like(scores, -torch.inf).tril(-1)).softmax(1)


def _along_columns(scores: Tensor) -> Tensor:
    return (scores + torch.full_like(scores, -torch.inf).triu(1)).softmax(0)


CAUSAL = Exercise(
    number="11.5",
    asks="a function causal(scores): weights of attention in which nobody hears anybody later",
    solution=causal,
    same=same_function(*((scores,) for scores in SCORES), tolerance=1e-4),
    mistakes=(
        Mistake(_zeros_for_mask, "a score of 0 is not silence: exp(0) is 1; add minus infinity"),
        Mistake(_masked_after, "masked after the softmax, rows no longer sum to 1: mask the scores"),
        Mistake(_strict, "everybody hears themselves, or the first has nobody to hear: keep the diagonal"),
        Mistake(_earlier_masked, "the wrong triangle: this one hears the future alone"),
        Mistake(_along_columns, "each row is one who asks: the softmax goes along the row"),
        Mistake(lambda scores: scores.softmax(1), "nothing is masked here: the first row hears everybody"),
    ),
    praise="a change of what comes later moves nothing before it; that can be asserted, and should be",
    otherwise="which scores ask about somebody later, and what does the softmax have to meet there to give it nothing?",
)

EXERCISES: tuple[Exercise, ...] = (PRICE, LEFT, NATS, ROWS, CAUSAL)
