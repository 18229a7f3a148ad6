"""The committed description of the API, for tests that look something up in it: read once in a run."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

PAGE = Path(__file__).parents[2] / "docs" / "openapi.yaml"


@cache
def described() -> Any:
    """The document. By libyaml where PyYAML has it, which is five times as fast on its 26,000 lines."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return loader(PAGE.read_text()).get_single_data()
