"""Log lines as machines read them, caught where they are written: with what they are about there."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from common.logs import FOR_MACHINES, JsonFormatter


@contextmanager
def written() -> Iterator[list[dict[str, Any]]]:
    """The lines of the block, those for machines alone among them."""
    lines: list[dict[str, Any]] = []

    class Handler(logging.Handler):
        """Formats at once: afterwards nobody knows any more what a record was about."""

        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(self.format(record)))

    handler = Handler()
    handler.setFormatter(JsonFormatter())
    levels = {logging.getLogger(name): logging.getLogger(name).level for name in FOR_MACHINES}
    logging.root.addHandler(handler)
    for logger in levels:
        logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        logging.root.removeHandler(handler)
        for logger, level in levels.items():
            logger.setLevel(level)
