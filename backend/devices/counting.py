"""What is counted of speakers' sockets."""

from __future__ import annotations

from common.metrics import QUICK, counter, gauge, histogram

SOCKETS = gauge("sockets", "Speakers whose socket is open and greeted.")
CONNECTS = counter("socket_connects", "Speakers that knocked, by what came of it.", "result")
CLOSES = counter("socket_closes", "Sockets that the server closed, by why.", "reason")
STORE_WAITING = gauge(
    "store_waiting", "What speakers have told and nobody has committed yet, by kind.", "kind"
)
STORE_SECONDS = histogram(
    "store_seconds", "From handing a batch to the database thread to its end, waiting included.", bounds=QUICK
)
DISPATCH_SECONDS = histogram(
    "play_dispatch_seconds",
    "From an order's instant to its frames at the sockets of a process.",
    bounds=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),
)
