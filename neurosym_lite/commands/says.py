"""What commands say on standard error. Work does not stop because nobody is listening."""

import contextlib
import sys


def say(line: str) -> None:
    """A line on standard error, where somebody reads it."""
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr, flush=True)
