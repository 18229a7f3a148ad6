"""Rules of the test run.

Without options, pytest runs everything on the embedded footprint (SQLite, in memory messages). With
`--both-footprints` it starts PostgreSQL and Valkey and runs four workers side by side: `embedded` and `production` take
the tests that touch the database, each on its footprint, but for those that say `@pytest.mark.once("…")`: what comes
out of them is the same on both, and they run where that names. `processes` takes what touches no database, and the
`system` tests, which start real processes and mostly wait for them; `journeys` those of its folder. One run, one
summary.

A `system` test that is `alone` too measures time: such tests run last, once all workers have nothing else left to do,
in two lanes of about the same length: `journeys` its own, `embedded` all others.
In CI (CI=true) a skipped test is a failed one.
"""

from __future__ import annotations

import fcntl
import os
import signal
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings

EMBEDDED, PRODUCTION, PROCESSES, JOURNEYS = "embedded", "production", "processes", "journeys"
DATABASE_FIXTURES = frozenset({"db", "transactional_db", "django_db_reset_sequences", "live_server"})

# A deadline for each example measures the machine, not the code; and CI must not find what nobody can repeat.
hypothesis_settings.register_profile("house", deadline=None, derandomize=os.environ.get("CI") == "true")
hypothesis_settings.load_profile("house")

LAST = ("system", "alone")

_BUSY = pytest.StashKey[int]()
_SERVERS = pytest.StashKey[ExitStack]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--both-footprints`, `--fuzz` and `--record-examples`."""
    parser.addoption(
        "--both-footprints",
        action="store_true",
        help="run the database tests on PostgreSQL and Valkey as well, in a second worker",
    )
    parser.addoption(
        "--fuzz",
        type=int,
        default=0,
        metavar="CASES",
        help="draw so many cases for each operation and caller, from a fresh seed, and try every boundary value",
    )
    parser.addoption(
        "--record-examples",
        action="store_true",
        help="write the answers to the API's example requests into the description",
    )


def worker_of(config: pytest.Config) -> str:
    """`embedded`, `production`, or an empty text outside a worker."""
    return str(getattr(config, "workerinput", {}).get("workerid", ""))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Starts the servers and asks for the workers, before pytest-xdist looks at its options."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A run in the background of a shell ignores Ctrl-C, and so would the servers that tests end by it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not config.option.both_footprints or config.option.collectonly:
        return
    if worker := worker_of(config):
        # Held until this worker has ended its last test that need not be alone: see `pytest_runtest_setup`.
        config.stash[_BUSY] = _locked(fcntl.LOCK_SH)
        if worker == PRODUCTION:
            # The database goes with its server; dropping it first would wait for pooled connections.
            config.option.reuse_db = True
        return
    from testing import servers

    stack = config.stash[_SERVERS] = ExitStack()
    started = stack.enter_context(servers.running())
    gate = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="s2g-"))) / "gate"
    gate.touch()
    os.environ["SYNC2GEAR_TEST_DATABASE_URL"] = started.database_url
    os.environ["SYNC2GEAR_TEST_REDIS_URL"] = started.redis_url
    os.environ["SYNC2GEAR_TEST_GATE"] = str(gate)
    config.option.dist = "each"
    config.option.tx = [
        f"popen//id={EMBEDDED}",
        f"popen//id={PRODUCTION}//env:DJANGO_SETTINGS_MODULE=testing.production",
        f"popen//id={PROCESSES}",
        f"popen//id={JOURNEYS}",
    ]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stops the servers."""
    if (stack := config.stash.get(_SERVERS, None)) is not None:
        stack.close()


def _locked(how: int) -> int:
    """The descriptor of the gate file, locked `how`; the lock falls when it is closed."""
    gate = os.open(os.environ["SYNC2GEAR_TEST_GATE"], os.O_RDONLY)
    fcntl.flock(gate, how)
    return gate


def touches_database(item: pytest.Item) -> bool:
    """Whether the test uses the database, by a fixture or by its mark."""
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(fixtures & DATABASE_FIXTURES) or item.get_closest_marker("django_db") is not None


def worker_for(item: pytest.Item) -> set[str]:
    """Which workers of `--both-footprints` run the test."""
    if item.get_closest_marker("system"):
        if item.path.relative_to(item.config.rootpath).parts[0] == JOURNEYS:
            return {JOURNEYS}
        return {EMBEDDED if item.get_closest_marker("alone") else PROCESSES}
    if item.get_closest_marker("production"):
        return {PRODUCTION}
    if not touches_database(item):
        return {PROCESSES}
    once = item.get_closest_marker("once")
    return {once.args[0]} if once else {EMBEDDED, PRODUCTION}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects what is not this worker's, and puts `system` tests last, those that are `alone` at the very end."""
    worker = worker_of(config)
    mine = [
        item
        for item in items
        if (worker in worker_for(item) if worker else not item.get_closest_marker("production"))
    ]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(mine)])
    items[:] = sorted(mine, key=lambda item: [item.get_closest_marker(each) is not None for each in LAST])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Lets the tests that must be alone begin."""
    _no_longer_busy(session.config)


def _no_longer_busy(config: pytest.Config) -> bool:
    """Whether this worker was, so far, one of those that others wait for."""
    if (gate := config.stash.get(_BUSY, None)) is None:
        return False
    os.close(gate)
    del config.stash[_BUSY]
    return True


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that is to be alone waits until all workers have ended their last tests that are not."""
    if item.get_closest_marker("alone") and _no_longer_busy(item.config):
        os.close(_locked(fcntl.LOCK_EX))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, Any, Any]:
    """In CI, what did not run has not passed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI", "").lower() == "true":
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not accept: {call.excinfo.value if call.excinfo else ''}"
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What tests have to tell (`record_property("told", …)`), from whichever worker they ran in."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            for name, value in report.user_properties:
                if name == "told":
                    terminalreporter.write_line(str(value))
