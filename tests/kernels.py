"""A pytest plugin for the notebooks: a kernel that dies at its start is started once more.

A kernel listens on ports that were free when they were chosen. Now and then another process is there before it.
"""

from functools import wraps

from nbval import kernel


def twice(start):
    """The same function, tried again where it raises RuntimeError the first time."""

    @wraps(start)
    def patient(*arguments, **options):
        try:
            return start(*arguments, **options)
        except RuntimeError:
            return start(*arguments, **options)

    return patient


kernel.start_new_kernel = twice(kernel.start_new_kernel)
