"""Production's settings, with every batch of the sockets held to one item: what batching is worth."""

from common.batching import Batcher
from core.settings import *  # noqa: F403  # all of them

assert Batcher.__init__.__kwdefaults__ is not None
Batcher.__init__.__kwdefaults__["largest"] = 1
