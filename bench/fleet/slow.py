"""Production's settings and routes, and one route more: a request whose query takes 100 ms."""

from core.settings import *  # noqa: F403  # all of them but one

ROOT_URLCONF = "fleet.slow_urls"
