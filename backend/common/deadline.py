"""Asking what may never answer: each question on a thread of its own, and an end to the waiting.

A database, a broker or a bucket that hangs cannot be interrupted; whoever asks can only stop waiting. The thread stays
with the question until it ends, and until then nobody asks the same again, so that threads do not gather.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from contextvars import Context
from threading import Lock, Thread
from typing import Any

from django.db import connections

_under_way: dict[str, Future[Any]] = {}
_lock = Lock()


def together(questions: Mapping[str, Callable[[], Any]], *, within_s: float) -> dict[str, Future[Any]]:
    """Asks all at once and waits for at most `within_s` seconds; a future that is not done is still being waited for.

    Names are the whole process's: who asks while another asks the same gets the same answer.
    """
    asked = {name: _asked(name, question) for name, question in questions.items()}
    wait(asked.values(), timeout=within_s)
    return asked


def _asked(name: str, question: Callable[[], Any]) -> Future[Any]:
    with _lock:
        running = _under_way.get(name)
        if running is None or running.done():
            running = _under_way[name] = Future()
            # A daemon: a process that is to end does not wait for what hangs.
            Thread(
                target=Context().run, args=(_ask, question, running), name=f"ask {name}", daemon=True
            ).start()
        return running


def _ask(question: Callable[[], Any], answer: Future[Any]) -> None:
    try:
        answer.set_result(question())
    except BaseException as error:  # noqa: BLE001  # handed on to everybody who waits for it
        answer.set_exception(error)
    finally:
        connections.close_all()
