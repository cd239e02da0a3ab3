"""Two settings of the process that a step on a CPU is slow without.

Freed memory is kept for the next step.
A training step frees and asks again for the same hundreds of mebibytes. By default glibc hands them back to the system
each time, which then has to clear and map every page anew: a third of a paper-size step on a CPU.

Numbers below 1e-38 count as zero. They come up where masks and responsibilities vanish, and a processor is many times
slower with them: half of a GENESIS step.
"""

import ctypes

import numpy as np
import torch

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of mallopt, from glibc's malloc.h
LARGEST = 2**31 - 1  # mallopt takes an int: blocks below 2 GiB are kept
MODEST = 2**25  # 32 MiB: the most that older glibc takes for M_MMAP_THRESHOLD


def spare_the_processor() -> None:
    """Both, for the rest of the process, as far as the system can."""
    keep_freed_memory()
    for kind in (np.float32, np.float64):
        np.finfo(kind)  # numpy before 2.4 asks once for the smallest number there is, and warns if that is zero
    torch.set_flush_denormal(True)


def keep_freed_memory() -> bool:
    """Tell glibc to keep what is freed, for the rest of the process; False where there is no glibc to tell."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # macOS, musl, Windows
        return False
    # the second alone would make it worse: it fixes the first at the little that it is by default
    kept = mallopt(M_MMAP_THRESHOLD, LARGEST) or mallopt(M_MMAP_THRESHOLD, MODEST)
    return bool(kept and mallopt(M_TRIM_THRESHOLD, LARGEST))
