"""What is computed in a step: loss, gradient, update. Tensors of fixed shapes in, one tensor out.

No host value, no `.item()`, no branch on data: so a GPU can record the step once and replay it as one CUDA graph, which
spares it the launch of some thousand small kernels, one by one.
"""

from typing import Literal, NamedTuple, get_args

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from neurosym_lite.training.bank import nested
from neurosym_lite.training.ranks import Ranks
from neurosym_lite.training.recipe import Model, Phase

Engine = Literal["eager", "graph", "compile"]
ENGINES = get_args(Engine)
WARM_STEPS = 3  # real steps before the recording, on a stream of their own: allocators and libraries settle


class Feed(NamedTuple):
    """What changes from step to step."""

    batch: tuple[Tensor, ...]
    """Images (B, C, H, W) uint8, alone; or symbols inferred before, as `bank.flattened` orders them."""
    weights: Float[Tensor, "W"]
    """The model's `Weights`, in their order."""


class Objective(nn.Module):
    """A phase's loss as a module's forward: what DistributedDataParallel and torch.compile wrap."""

    def __init__(self, model: Model, name: str) -> None:
        super().__init__()
        self.model, self.name = model, name

    def forward(
        self, batch: tuple[Shaped[Tensor, "..."], ...], weights: Float[Tensor, "W"]
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "terms"]]:
        """What is minimised, and the mean over the batch of each term of the loss."""
        inputs = nested(list(batch)) if self.name == "prior_loss" else batch[0].to(weights.dtype) / 255
        loss = getattr(self.model, self.name)(inputs, self.model.Weights(*weights.unbind()))
        return loss.total.mean(), torch.stack([term.detach().mean() for term in loss])


class Step:
    """A step of one phase, run operation by operation."""

    def __init__(self, model: Model, optimiser: torch.optim.Optimizer, phase: Phase, objective: nn.Module) -> None:
        self.optimiser, self.clip, self.objective = optimiser, phase.clip, objective
        self.trained = [parameter for parameter in model.parameters() if parameter.requires_grad]

    def __call__(self, feed: Feed) -> Float[Tensor, "outputs"]:
        """The mean of each term of the loss, then the norm of the gradient before it is clipped."""
        self.optimiser.zero_grad(set_to_none=True)
        total, terms = self.objective(feed.batch, feed.weights)
        total.backward()
        norm = nn.utils.clip_grad_norm_(self.trained, self.clip)
        self.optimiser.step()
        return torch.cat([terms, norm.detach()[None]])


class GraphStep(Step):
    """The same step, recorded once as a CUDA graph and replayed from then on."""

    def __init__(self, model: Model, optimiser: torch.optim.Optimizer, phase: Phase, objective: nn.Module) -> None:
        super().__init__(model, optimiser, phase, objective)
        self.graph: torch.cuda.CUDAGraph | None = None
        self.warmed = 0

    def __call__(self, feed: Feed) -> Float[Tensor, "outputs"]:
        """As `Step`; the first WARM_STEPS are run operation by operation, then the graph is recorded."""
        if self.warmed < WARM_STEPS:
            self.warmed += 1
            return self._aside(feed)
        if self.graph is None:
            self._record(feed)
        for place, fresh in zip((*self.feed.batch, self.feed.weights), (*feed.batch, feed.weights), strict=True):
            place.copy_(fresh)
        self.graph.replay()
        return self.outputs.clone()

    def _aside(self, feed: Feed) -> Tensor:
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            outputs = super().__call__(feed)
        torch.cuda.current_stream().wait_stream(side)
        return outputs

    def _record(self, feed: Feed) -> None:
        """Record the step over buffers of its own; recording runs nothing and draws no noise."""
        self.feed = Feed(tuple(tensor.clone() for tensor in feed.batch), feed.weights.clone())
        self.optimiser.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.outputs = super().__call__(self.feed)
        self.graph = graph


def make_step(
    model: Model, optimiser: torch.optim.Optimizer, phase: Phase, engine: Engine, device: torch.device, ranks: Ranks
) -> Step:
    """The step of a phase by an engine: each operation as it comes, as a CUDA graph, or compiled (on a GPU both)."""
    objective: nn.Module = Objective(model, phase.objective)
    if engine == "compile":
        # phases differ in what a batch is: each is compiled for its own shapes, not for any
        objective = torch.compile(objective, fullgraph=True, dynamic=False)
    if ranks.count > 1:
        objective = DistributedDataParallel(objective, static_graph=True)
    captured = engine != "eager" and device.type == "cuda" and ranks.count == 1
    return (GraphStep if captured else Step)(model, optimiser, phase, objective)
