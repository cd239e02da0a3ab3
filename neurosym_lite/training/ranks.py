"""Several processes that train one model: who this one is, and what they tell each other.

Started by torchrun, which sets RANK, WORLD_SIZE and LOCAL_RANK. Gradients are averaged by torch's own
DistributedDataParallel; here is only the rest: shares of the batch, seeds, and agreement on when to stop.
"""

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

RANK_SEED = 10_000_019  # keeps the ranks' noise and data apart from each other
AGREE_STEPS = 5  # steps between two questions whether anyone wants to stop
BACKENDS = {"cpu": "gloo", "cuda": "cpu:gloo,cuda:nccl"}


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Does this process write the files?"""
        return self.rank == 0

    def seed(self, seed: int) -> int:
        """This rank's own seed; that of a single process for the first rank."""
        return seed + RANK_SEED * self.rank

    def share(self, batch: int) -> int:
        """This rank's images of a joint batch. Raises ValueError where the ranks cannot share it evenly."""
        if batch % self.count:
            raise ValueError(f"a batch of {batch} cannot be shared by {self.count} ranks: give a --batch that can")
        return batch // self.count

    def agree(self, step: int, *wishes: bool) -> list[bool]:
        """For each wish, whether any rank has it. All ranks get the same answer, every AGREE_STEPS steps."""
        if self.count == 1:
            return list(wishes)
        if step % AGREE_STEPS:
            return [False] * len(wishes)
        votes = torch.tensor([int(wish) for wish in wishes])
        dist.all_reduce(votes, dist.ReduceOp.MAX)
        return [bool(vote) for vote in votes.tolist()]

    def same(self, number: int) -> bool:
        """Have all ranks given the same number?"""
        return len({int(each) for each in self.gather(torch.tensor([int(number)]))}) == 1

    def gather(self, tensor: Tensor) -> list[Tensor]:
        """That tensor of every rank, in the order of ranks, on this one's device."""
        if self.count == 1:
            return [tensor]
        parts = [torch.empty_like(tensor) for _ in range(self.count)]
        dist.all_gather(parts, tensor.contiguous())
        return parts

    def mean(self, tensor: Tensor) -> Tensor:
        """The mean of a tensor over the ranks."""
        if self.count == 1:
            return tensor
        total = tensor.clone()
        dist.all_reduce(total)
        return total / self.count


ALONE = Ranks()


def join(device: torch.device) -> Ranks:
    """Meet the other ranks where torchrun started this process; ALONE where it did not."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return ALONE
    dist.init_process_group(BACKENDS[device.type])
    return Ranks(dist.get_rank(), dist.get_world_size())


def local_rank() -> int:
    """The number of this process on its machine: which of its GPUs it uses."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def leave() -> None:
    """End the meeting, if there was one."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()
