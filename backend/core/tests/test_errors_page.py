"""`docs/errors.md` is the table of the code."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from common.errors import CODES

PAGE = Path(settings.PROJECT_ROOT) / "docs" / "errors.md"


def test_the_page_has_not_drifted(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("errors_doc")
    assert capsys.readouterr().out == PAGE.read_text(), "run: manage.py errors_doc > docs/errors.md"


def test_every_code_stands_on_it() -> None:
    for name, code in CODES.items():
        assert f"| `{name}` | {code.status} | {code.title} |" in PAGE.read_text()
