"""What the tests of the judges share: generators, and handwriting that may not be on this machine."""

import pytest
from torch import Generator

from neurosym_lite.data.sources import at_hand


def at(seed: int = 0) -> Generator:
    """A generator at its beginning."""
    return Generator().manual_seed(seed)


def need(handwriting: str) -> str:
    """The handwriting, or the test is skipped and says what is missing."""
    if not at_hand()[handwriting]:
        pytest.skip(f"{handwriting} is not on this machine: set NEUROSYM_DATA to the folder that has it")
    return handwriting
