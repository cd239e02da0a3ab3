"""Several runs on one GPU, side by side: NVIDIA's MPS, where it is installed.

By itself a GPU belongs to one process at a time, and runs at once take turns. With MPS their kernels run beside each
other. The book's page on training has what was measured.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CONTROL = "nvidia-cuda-mps-control"  # its program
PIPES, LOGS = "CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY"
USUAL = Path("/tmp/nvidia-mps/control")  # its pipe, where the first of these is not set
TRIAL = "import torch; torch.zeros(1, device='cuda')"  # what a process that uses it has to be able to do
SECONDS = 60  # that each of its steps may take


class MpsError(RuntimeError):
    """MPS cannot be had here."""


def is_on() -> bool:
    """Is there a server that processes find by themselves?"""
    return PIPES in os.environ or USUAL.exists()


@contextmanager
def mps() -> Iterator[dict[str, str]]:
    """A server while this is on, as environment variables for the processes that shall use it.

    Raises MpsError where MPS is not installed, does not start, or keeps a process from its GPU.
    """
    if shutil.which(CONTROL) is None:
        raise MpsError(f"{CONTROL} is not installed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        variables = {PIPES: f"{folder}/pipes", LOGS: f"{folder}/logs"}
        for path in variables.values():
            Path(path).mkdir()
        try:
            _run([CONTROL, "-d"], variables)
            _run([sys.executable, "-c", TRIAL], variables)
            yield variables
        finally:
            with suppress(MpsError):
                _run([CONTROL], variables, told="quit\n")


def _run(command: list[str], variables: dict[str, str], told: str = "") -> None:
    """Run this to its end, out of reach of Ctrl-C."""
    try:
        subprocess.run(command, input=told, text=True, env=os.environ | variables, check=True, timeout=SECONDS,
                       start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise MpsError(f"{CONTROL} does not work here: {error}") from error
