"""`sync2gear-speaker`: options, signals and exit codes."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import random
import secrets
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from sync2gear_player import SOFTWARE
from sync2gear_player.cache import DEFAULT_BOUND_BYTES
from sync2gear_player.clock import Clock, LabClock, RealClock
from sync2gear_player.device import Device, Parts
from sync2gear_player.network import RealNetwork
from sync2gear_player.pairing import Invitation, PairingError, identify, pair
from sync2gear_player.sinks.base import NullSink, Sink, SinkError
from sync2gear_player.sinks.card import CardSink
from sync2gear_player.sinks.file import FileSink
from sync2gear_player.store import Identity, StateError, StateFolder

MEGABYTE = 1024 * 1024
EXIT_OK, EXIT_PROBLEM, EXIT_USAGE = 0, 1, 2

log = logging.getLogger("sync2gear_player")


class UsageError(Exception):
    """An option cannot be used; the message is a sentence that says the mend."""


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        prog="sync2gear-speaker", description="A headless sync2gear speaker.", allow_abbrev=False
    )
    options.add_argument("--version", action="version", version=SOFTWARE)
    options.add_argument("--server", help="the server's address, as in http://127.0.0.1:8000")
    options.add_argument(
        "--state", type=Path, default=default_state(), metavar="DIR", help="state folder (%(default)s)"
    )
    options.add_argument("--name", default="", help="the name offered when pairing")
    who = options.add_mutually_exclusive_group()
    who.add_argument("--token", help="the device token; better in SYNC2GEAR_TOKEN or a file")
    who.add_argument("--token-file", type=Path, metavar="FILE", help="a file that holds the device token")
    who.add_argument("--pair", action="store_true", help="pair anew, even if this speaker is known already")
    options.add_argument(
        "--output",
        default="auto",
        metavar="auto|card|null|file:OUT.wav",
        help="where the sound goes; auto is the card if there is one, else null (%(default)s)",
    )
    options.add_argument(
        "--cache-mb",
        type=int,
        default=DEFAULT_BOUND_BYTES // MEGABYTE,
        help="bound of the cache (%(default)s)",
    )
    options.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    options.add_argument("--log-json", action="store_true", help="one JSON object a line")
    lab = options.add_argument_group("laboratory", "Errors made on purpose, for tests.")
    lab.add_argument(
        "--lab-clock-offset-s", type=float, default=0.0, metavar="S", help="both clocks off by S"
    )
    lab.add_argument("--lab-clock-ppm", type=float, default=0.0, metavar="PPM", help="both clocks too fast")
    lab.add_argument(
        "--lab-wall-step-file", type=Path, metavar="FILE", help="the wall clock is off by FILE's seconds"
    )
    return options


def default_state() -> Path:
    """`$XDG_STATE_HOME/sync2gear-speaker` (XDG Base Directory Specification)."""
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "sync2gear-speaker"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a speaker until a signal; returns the exit code. Starts itself anew when the server asks for it."""
    options = parser().parse_args(arguments)
    _set_up_logging(options.log_level, as_json=options.log_json)
    try:
        restart = asyncio.run(_run(options))
    except UsageError as error:
        return _complain(error, EXIT_USAGE)
    except (StateError, SinkError, PairingError) as error:
        return _complain(error, EXIT_PROBLEM)
    if restart:
        log.info("restarting")
        os.execv(sys.executable, [sys.executable, "-m", "sync2gear_player", *(arguments or sys.argv[1:])])  # noqa: S606  itself, with its own arguments
    return EXIT_OK


async def _run(options: argparse.Namespace) -> bool:
    work = asyncio.current_task()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: work.cancel() if work is not None else None)
    clock: Clock = RealClock()
    if options.lab_clock_offset_s or options.lab_clock_ppm or options.lab_wall_step_file:
        clock = LabClock(
            RealClock(), options.lab_clock_offset_s, options.lab_clock_ppm, options.lab_wall_step_file
        )
    sink = make_sink(options.output, clock)
    state = StateFolder(options.state)
    network = RealNetwork()
    try:
        identity = await _identity(options, state, network)
        log.info("this is %s of %s", identity.device_id, identity.server)
        parts = Parts(
            clock=clock,
            network=network,
            sink=sink,
            rng=random.SystemRandom(),
            record=sink.record if isinstance(sink, FileSink) else None,
            cache_bytes=options.cache_mb * MEGABYTE,
        )
        device = Device(parts, state, identity)
        await device.run()
        return True
    except asyncio.CancelledError:
        log.info("stopped")
        return False
    finally:
        with suppress(asyncio.CancelledError):
            await network.close()
        state.close()


def make_sink(output: str, clock: Clock) -> Sink:
    """The sink that `--output` names; raises `UsageError`."""
    kind, _, name = output.partition(":")
    match kind:
        case "auto":
            problem = CardSink.problem()
            if problem is None:
                return CardSink(clock)
            log.warning("no sound will be heard: %s; playing to nowhere (--output null)", problem)
            return NullSink(clock)
        case "card":
            problem = CardSink.problem()
            if problem is not None:
                raise UsageError(f"There is no card for --output card: {problem}.")
            return CardSink(clock)
        case "null":
            return NullSink(clock)
        case "file" if name:
            return FileSink(clock, Path(name))
        case _:
            raise UsageError(f"--output {output!r} is none of auto, card, null, file:OUT.wav.")


def origin(address: str) -> str:
    """The server's origin from what a person typed; raises `UsageError`."""
    parts = urlsplit(address if "://" in address else f"http://{address}")
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = None
    if parts.scheme not in ("http", "https") or not parts.hostname or port is None:
        raise UsageError(f"--server {address!r} is not an address like http://127.0.0.1:8000.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}"


async def _identity(options: argparse.Namespace, state: StateFolder, network: RealNetwork) -> Identity:
    kept = state.load("identity", Identity)
    server = origin(options.server) if options.server else (kept.server if kept is not None else "")
    if not server:
        raise UsageError("This speaker does not know its server yet: give it with --server http://HOST:PORT.")
    token = _token(options)
    if kept is not None and kept.server == server and not options.pair and token in ("", kept.token):
        return kept
    if token:
        identity = await identify(network, server, token)
    else:
        identity = await pair(
            network, server, hardware_id=_hardware_id(state), name=options.name, show=_show_code
        )
    if kept is None or (kept.server, kept.device_id) != (identity.server, identity.device_id):
        state.forget("plan", "desired")
    state.save("identity", identity)
    return identity


def _token(options: argparse.Namespace) -> str:
    if options.token_file is not None:
        try:
            token = options.token_file.read_text().strip()
        except OSError as error:
            raise UsageError(
                f"The token file {options.token_file} cannot be read: {error.strerror}."
            ) from error
        if not token:
            raise UsageError(f"The token file {options.token_file} is empty.")
        return str(token)
    return "" if options.pair else (options.token or os.environ.get("SYNC2GEAR_TOKEN", ""))


def _hardware_id(state: StateFolder) -> str:
    kept = state.load_document("hardware")
    if isinstance(kept, dict) and isinstance(kept.get("hardware_id"), str):
        return str(kept["hardware_id"])
    hardware_id = f"spk-{secrets.token_hex(6)}"
    state.save("hardware", {"hardware_id": hardware_id})
    return hardware_id


def _show_code(invitation: Invitation) -> None:
    code = "  ".join(invitation.user_code)
    line = "=" * (len(code) + 12)
    sys.stdout.write(
        f"\n{line}\n\n      {code}\n\n{line}\n\n"
        f"Enter this code at {invitation.verification_uri}\n"
        f"to hang up this speaker. It is good for {max(1, invitation.expires_in // 60)} minutes.\n\n"
    )
    sys.stdout.flush()


def _complain(error: Exception, code: int) -> int:
    sys.stderr.write(f"sync2gear-speaker: {error}\n")
    return code


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _set_up_logging(level: str, *, as_json: bool) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(
        _JsonFormatter() if as_json else logging.Formatter("%(asctime)s %(levelname)-7s %(message)s")
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    log.setLevel(level.upper())
