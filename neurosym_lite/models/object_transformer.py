"""A prior over lists of objects, token by token: p(t) = prod_n prod_j p(t_nj | t_<n, t_n,<j).

Each object is J tokens. A causal transformer (Vaswani et al. 2017) reads the objects so far; from its state, and the
sum of what the object at hand has said already, a small MLP predicts the next token. So attention is between objects,
of which there are few, and not between tokens, of which there are many.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn

EMBEDDING_STD, POSITION_STD = 0.3, 0.02  # at the start


class ObjectTransformer(nn.Module):
    """Lists of at most N objects. Token 0 of an object may take one value more, its last: the list has ended."""

    def __init__(self, vocabulary: tuple[int, ...], most: int, width: int, layers: int, heads: int) -> None:
        """`vocabulary` are the numbers of values of the J tokens; the first without the value that ends a list.

        Raises ValueError for a width that cannot be shared out among the heads.
        """
        super().__init__()
        if width % heads:
            raise ValueError(f"a transformer of width {width} has {heads} heads: make width a multiple of heads")
        sizes = (vocabulary[0] + 1, *vocabulary[1:])
        self.most, self.end = most, vocabulary[0]
        first = torch.tensor([0, *sizes[:-1]]).cumsum(0)  # of each token among the embeddings
        self.register_buffer("first", first, persistent=False)
        self.embedding = nn.Embedding(sum(sizes), width)
        nn.init.normal_(self.embedding.weight, std=EMBEDDING_STD)
        self.start = nn.Parameter(POSITION_STD * torch.randn(width))
        self.places = nn.Parameter(POSITION_STD * torch.randn(most + 1, width))  # the last is of a full list: not asked
        self.reads = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.transformer = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.turns = nn.Parameter(POSITION_STD * torch.randn(len(sizes), width))  # which token is next
        self.says = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.last_norm = nn.LayerNorm(width)
        self.heads = nn.ModuleList(nn.Linear(width, size) for size in sizes)

    def embed(self, tokens: Int[Tensor, "B N J"]) -> Float[Tensor, "B N J F"]:
        """A vector for each token."""
        return self.embedding(tokens + self.first)

    def states(self, embedded: Float[Tensor, "B N J F"]) -> Float[Tensor, "B M F"]:
        """What is known before each of M = N + 1 objects: those before it."""
        start = self.start.expand(len(embedded), 1, -1)
        objects = torch.cat([start, self.reads(embedded.sum(2))], dim=1)
        n = objects.shape[1]
        later = torch.full((n, n), -torch.inf, device=objects.device).triu(1)
        return self.norm(self.transformer(objects + self.places[:n], mask=later, is_causal=True))

    def logits(
        self, states: Float[Tensor, "B M F"], said: Float[Tensor, "B M F"], token: int
    ) -> Float[Tensor, "B M V"]:
        """Of the next token of each object; `said` is the sum of the vectors of its tokens so far."""
        known = states + said
        return self.heads[token](self.last_norm(known + self.says(known + self.turns[token])))

    def nats(self, tokens: Int[Tensor, "B N J"]) -> Float[Tensor, "B J"]:
        """-log p by token, summed over objects. A list that is full has no end to be said."""
        embedded = self.embed(tokens)
        real = tokens[..., 0] != self.end
        states = self.states(embedded[:, :-1])
        before = F.pad(embedded.cumsum(2), (0, 0, 1, 0))  # sum of the vectors before each token
        asked = torch.cat([torch.ones_like(real[:, :1]), real[:, :-1]], dim=1)  # the first end is said, none after it
        parts = []
        for token in range(tokens.shape[2]):
            logits = self.logits(states, before[:, :, token], token)
            each = F.cross_entropy(logits.flatten(0, 1), tokens[..., token].flatten(), reduction="none")
            parts.append((each.view_as(real) * (asked if token == 0 else real)).sum(1))
        return torch.stack(parts, dim=1)

    @torch.no_grad()
    def sample(self, n: int, generator: Generator) -> Int[Tensor, "n N J"]:
        """n lists, object by object, token by token."""
        device, width = self.start.device, len(self.start)
        tokens = torch.zeros(n, 0, len(self.heads), dtype=torch.long, device=device)
        ended = torch.zeros(n, dtype=torch.bool, device=device)
        for _ in range(self.most):
            state, said = self.states(self.embed(tokens))[:, -1:], torch.zeros(n, 1, width, device=device)
            drawn = []
            for token in range(len(self.heads)):
                chances = self.logits(state, said, token)[:, 0].softmax(-1)
                value = torch.multinomial(chances, 1, generator=generator)[:, 0]
                if token == 0:
                    value = torch.where(ended, self.end, value)
                    ended = value == self.end
                drawn.append(value)
                said = said + self.embedding(value + self.first[token])[:, None]
            tokens = torch.cat([tokens, torch.stack(drawn, dim=1)[:, None]], dim=1)
        return tokens
