"""The test run itself: each worker sees the footprint it is named after, and nothing is skipped unseen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection

from testing.plugin import PRODUCTION, worker_of

pytest_plugins = ["pytester"]

BACKEND = str(Path(__file__).parents[2])


@pytest.mark.django_db
def test_the_database_is_that_of_the_footprint(request: pytest.FixtureRequest) -> None:
    production = worker_of(request.config) == PRODUCTION
    assert settings.EMBEDDED is not production
    assert connection.vendor == ("postgresql" if production else "sqlite")
    if not production:
        with connection.cursor() as cursor:
            assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",), "a file, as in a shop"


@pytest.mark.production
def test_the_cache_is_valkey() -> None:
    cache.set("greeting", "hello")
    assert cache.get("greeting") == "hello"
    assert "redis" in settings.CACHES["default"]["BACKEND"]


@pytest.fixture
def small_run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A test file of its own, run by a pytest of its own with the plugin."""
    for name in [name for name in os.environ if name.startswith(("PYTEST_", "DJANGO_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", BACKEND)
    monkeypatch.delenv("CI", raising=False)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.system
        def test_first_in_the_file(): pass

        def test_last_in_the_file(): pass

        @pytest.mark.production
        def test_elsewhere(): pass

        @pytest.mark.skip(reason="because")
        def test_skipped(): pass
        """
    )
    return pytester


def test_system_tests_come_last_and_production_tests_are_deselected(small_run: pytest.Pytester) -> None:
    result = small_run.runpytest_subprocess("-v", "-p", "testing.plugin", "-p", "no:django")
    result.assert_outcomes(passed=2, skipped=1, deselected=1)
    result.stdout.fnmatch_lines(["*test_last_in_the_file PASSED*", "*test_first_in_the_file PASSED*"])


def test_in_ci_a_skipped_test_fails(small_run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    result = small_run.runpytest_subprocess("-p", "testing.plugin", "-p", "no:django")
    result.assert_outcomes(passed=2, errors=1, deselected=1)
    result.stdout.fnmatch_lines(["*skipped, which CI does not accept: because*"])
