"""A kernel that dies at its start is started once more, and no more than once."""

import pytest
from nbval import kernel

from tests.kernels import twice


@pytest.mark.parametrize(("failures", "calls"), [(0, 1), (1, 2), (2, 2)])
def test_a_kernel_is_started_at_most_twice(failures: int, calls: int) -> None:
    tried = []

    def start(name: str) -> str:
        tried.append(name)
        if len(tried) <= failures:
            raise RuntimeError("Kernel died before replying to kernel_info")
        return name

    if failures < 2:
        assert twice(start)("python") == "python"
    else:
        with pytest.raises(RuntimeError, match="Kernel died"):
            twice(start)("python")
    assert len(tried) == calls


def test_the_notebooks_kernels_are_started_so() -> None:
    assert kernel.start_new_kernel.__wrapped__.__module__ == "nbval.kernel"
