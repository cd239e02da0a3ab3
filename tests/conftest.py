"""Shapes and types of every public function are checked while the tests run; users pay nothing for them."""

import pytest
import torch
from jaxtyping import install_import_hook

install_import_hook("neurosym_lite", "beartype.beartype").__enter__()


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Every test starts from the same generator state, on one thread."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
