"""A run's folder belongs to one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neurosym_lite.training.checkpoints import prepare_folder

LOCK = ".lock"


@contextmanager
def claimed(folder: Path, names: tuple[str, ...]) -> Iterator[None]:
    """Make the folder ready for files of these names, and hold it meanwhile; the system lets go when a process dies.

    Raises ValueError where another process holds it, OSError where it cannot be written.
    """
    prepare_folder(folder, (LOCK,))
    with open(folder / LOCK, "w") as file:
        if not _locked(file.fileno()):
            raise ValueError(f"another process trains in {folder}: wait for it, or give another --out")
        prepare_folder(folder, names)
        yield


def _locked(number: int) -> bool:
    """Hold an open file, unless another process does; systems without such locks hold nothing."""
    try:
        import fcntl

        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return True
    return True
