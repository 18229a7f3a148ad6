"""Django's settings of a simulation: the embedded footprint, on a database in memory."""

from testing.embedded import *  # noqa: F403
from testing.embedded import DATABASES

DATABASES["default"]["NAME"] = ":memory:"
