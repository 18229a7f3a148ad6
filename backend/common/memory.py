"""What a process keeps for life, out of the garbage collector's way."""

from __future__ import annotations

import gc


def settle() -> None:
    """Everything loaded so far stays: the collector does not walk through it again.

    A server's code and settings are some hundred thousand objects, and each full collection stops the process for a
    tenth of a second to find them all in use: in the middle of a tick, or of a push.
    """
    gc.freeze()
