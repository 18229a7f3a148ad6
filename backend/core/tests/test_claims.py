"""What a server claims before it starts, and the sentence it gives when it cannot."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from core.embedded.claims import CannotStart, claim_port, claimed_folder

NOT_OURS = "192.0.2.1"
"""An address for documentation (RFC 5737): no machine has it."""


def test_a_claimed_port_is_taken_and_a_connection_waits() -> None:
    with claim_port("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        with pytest.raises(CannotStart, match=f"^Port {port} on 127.0.0.1 is in use: .* PORT={port + 1}.$"):
            claim_port("127.0.0.1", port)


@pytest.mark.parametrize("host", [NOT_OURS, "no.such.name.invalid"])
def test_a_host_that_is_not_ours_is_told(host: str) -> None:
    with pytest.raises(CannotStart, match=f"^{host} is no address of this machine: set HOST="):
        claim_port(host, 0)


def test_a_folder_belongs_to_one_server(tmp_path: Path) -> None:
    with claimed_folder(tmp_path):
        sentence = rf"^Another server \(process {os.getpid()}\) works in .*: stop it, or set SYNC2GEAR_DATA"
        with pytest.raises(CannotStart, match=sentence), claimed_folder(tmp_path):
            pass
    with claimed_folder(tmp_path):
        assert (tmp_path / "serve.lock").read_text() == str(os.getpid())
