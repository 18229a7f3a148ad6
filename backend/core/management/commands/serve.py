"""`manage.py serve`: everything from one process, ready from the first start."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.management import BaseCommand, call_command
from django.urls import reverse

from common import clock, jobs
from common.environment import LOOPBACK_HOSTS
from core.embedded import demo, first_start, network, server, welcome
from core.embedded.claims import CannotStart, claim_port, claimed_folder


class Command(BaseCommand):
    """Checks, migrates, makes what a first start needs, and serves until Ctrl-C.

    In the production footprint (REDIS_URL set) it only checks and serves: the database is migrated once for all
    processes by `manage.py migrate`, and accounts are made by `manage.py createsuperuser`.
    """

    help = "Serves the API and the sockets and, embedded, jobs and the scheduler, all from this one process."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Serves HOST:PORT; a reason not to start is a sentence on stderr and status 1."""
        server.leave_quietly_on_signals()
        try:
            with ExitStack() as held:
                self._serve(held)
        except CannotStart as reason:
            sys.exit(str(reason))

    def _serve(self, held: ExitStack) -> None:
        config = settings.CONFIG
        listener = held.enter_context(claim_port(config.host, config.port))
        if settings.EMBEDDED:
            held.enter_context(claimed_folder(settings.DATA_DIR))
        refuse_contradictions()
        reachable = network.hosts_of(config.host, network.own_names(), network.own_addresses())
        if config.allowed_hosts == LOOPBACK_HOSTS:
            settings.ALLOWED_HOSTS += list(reachable)

        port = listener.getsockname()[1]
        admin, demo_folder = make_ready() if settings.EMBEDDED else (None, None)
        facts = welcome.Facts(
            url=network.url_of(config.host, port),
            docs_path=reverse("docs"),
            elsewhere=tuple(f"http://{name}:{port}" for name in reachable),
            admin=admin,
            demo=(demo.OWNER, _shown(demo_folder.sign_in)) if demo_folder else None,
        )

        if settings.JOBS_EMBEDDED:
            # Before Python ends: that would run every job which waits, however many.
            held.callback(jobs.executor().stop)

        def when_ready() -> None:
            self.stdout.write(welcome.text(facts))
            self.stdout.flush()
            if demo_folder:
                running = demo.Demo(demo_folder)
                held.callback(running.stop)
                running.start()

        server.serve(listener, when_ready, processes=config.web_concurrency)


def refuse_contradictions() -> None:
    """Raises `CannotStart` with every error that Django's system checks find."""
    errors = [message for message in checks.run_checks() if message.is_serious(checks.ERROR)]
    if errors:
        raise CannotStart("\n".join(f"{error.msg} {error.hint or ''}".strip() for error in errors))


def make_ready() -> tuple[first_start.Account | None, demo.DemoFolder | None]:
    """Migrates, and makes what is missing; returns a super admin made just now, and the demo if there is one."""
    config = settings.CONFIG
    call_command("migrate", verbosity=0, interactive=False)
    admin = first_start.ensure_super_admin(config.first_start)
    folder = demo.folder_in(settings.DATA_DIR)
    if config.first_start.demo:
        demo.prepare(folder, by=first_start.super_admin(), now=clock.now())
    return admin, folder if folder.sign_in.exists() else None


def _shown(path: Path) -> str:
    """The path as a person in the current folder would write it."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
