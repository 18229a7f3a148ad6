"""The audit of dependencies finds what is known, and never passes for having asked nobody."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from testing import audit
from testing.servers import free_port

TODAY = date(2026, 6, 1)
BAD = {("django", "4.2.0"): ["GHSA-known"], ("leaky", "1.0"): ["GHSA-leak"]}


@pytest.fixture
def osv(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[Any, list[str]]]:
    """A source that knows of what is in the dictionary."""
    known = dict(BAD)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            found = [known.get((each["package"]["name"], each["version"]), []) for each in asked]
            body = json.dumps(
                {"results": [{"vulns": [{"id": i} for i in ids]} if ids else {} for ids in found]}
            )
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OSV_URL", f"http://127.0.0.1:{server.server_port}")
    yield known
    server.shutdown()
    server.server_close()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """Two packages."""
    path = tmp_path / "lock"
    path.write_text(
        "fine==2.0 \\\n    --hash=sha256:00\nleaky==1.0 ; python_version < '3.12' \\\n    --hash=sha256:11\n"
    )
    return path


@pytest.mark.usefixtures("osv")
def test_a_hole_is_found(lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(lock, today=TODAY) == 1
    assert "leaky==1.0: GHSA-leak" in capsys.readouterr().out


@pytest.mark.usefixtures("osv")
@pytest.mark.parametrize(("until", "status"), [(date(2026, 6, 2), 0), (date(2026, 6, 1), 1)])
def test_one_that_is_accepted_comes_back(
    lock: Path, until: date, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(audit.ACCEPTED, "GHSA-leak", audit.Accepted("not reached from outside", until))
    assert audit.main(lock, today=TODAY) == status


def test_nothing_known_is_a_pass(lock: Path, osv: dict[Any, list[str]]) -> None:
    del osv["leaky", "1.0"]
    assert audit.main(lock, today=TODAY) == 0


def test_a_source_that_knows_nothing_is_no_pass(
    lock: Path, osv: dict[Any, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    osv.clear()
    assert audit.main(lock, today=TODAY) == audit.NOBODY_KNOWS
    assert capsys.readouterr().out.startswith("NOT AUDITED")


def test_a_source_that_is_away_is_no_pass(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSV_URL", f"http://127.0.0.1:{free_port()}")
    assert audit.main(lock, today=TODAY) == audit.NOBODY_KNOWS


def test_the_whole_lock_is_asked_about() -> None:
    names = {name for name, _ in audit.pinned(audit.LOCK)}
    assert len(names) > 100
    assert {"django", "celery", "cryptography"} <= {name.lower() for name in names}
