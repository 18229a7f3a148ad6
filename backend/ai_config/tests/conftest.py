"""Fixtures of the tests of AI providers."""

from __future__ import annotations

from ai_config.tests.support import fake, provider

__all__ = ["fake", "provider"]
