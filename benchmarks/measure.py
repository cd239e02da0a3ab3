"""CPU time and peak tensor memory of a function."""

import time
from collections.abc import Callable

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary


def cpu_milliseconds(work: Callable[[], object], rounds: int = 7, repeats: int = 5) -> float:
    """Process CPU time of one call in milliseconds: the least of several rounds, after a warm-up."""
    work()
    times = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(repeats):
            work()
        times.append((time.process_time() - began) / repeats)
    return 1000 * min(times)


class PeakMemory(TorchDispatchMode):
    """Follows every tensor that is made while it is on, and keeps the largest sum of living bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.peak = 0
        self.alive = WeakTensorKeyDictionary()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run the operation, then count what is alive; views share their storage and count once."""
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple | list) else (result,):
            if isinstance(tensor, torch.Tensor):
                self.alive[tensor] = (tensor.untyped_storage().data_ptr(), tensor.untyped_storage().nbytes())
        self.peak = max(self.peak, sum(dict(self.alive.values()).values()))
        return result


def peak_mebibytes(work: Callable[[], object]) -> float:
    """Most memory that tensors made by one call hold at once, in MiB."""
    with PeakMemory() as memory:
        work()
    return memory.peak / 2**20
