"""What a process keeps, out of the garbage collector's way."""

from __future__ import annotations

import gc

NEW_OBJECTS = 50_000
"""So many are made before the collector looks for cycles among them; Python's own 700 are few for a server.

What thousands of speakers bring with them lasts as long as they do: to look through it at each step of its growth took
a third of what a connect takes. Cycles, which alone wait for the collector, are some megabytes at most by then.
"""


def settle() -> None:
    """Everything loaded so far stays: the collector does not walk through it again, and looks through what comes
    seldom.

    A server's code and settings are some hundred thousand objects, and each full collection stops the process for a
    tenth of a second to find them all in use: in the middle of a tick, or of a push.
    """
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)
