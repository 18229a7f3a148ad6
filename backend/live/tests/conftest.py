"""Fixtures of the tests of dashboards: the real server of the devices' tests."""

from devices.tests.conftest import server, tokens

__all__ = ["server", "tokens"]
