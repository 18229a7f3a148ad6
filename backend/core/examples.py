"""Examples of the API's description: requests that were made and the answers they got, recorded in `examples.json`.

`make examples` records them; a test makes each request again and holds the answer to the recorded one.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).with_name("examples.json")
JSON = "application/json"


@lru_cache(maxsize=1)
def recorded() -> dict[str, Any]:
    """By operation id: `status`, and as far as there are any `request`, its `media` type, and `response`."""
    found: dict[str, Any] = json.loads(RECORDED.read_text())
    return found


def add_examples(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook: puts each example to its operation."""
    examples = recorded()
    for item in result["paths"].values():
        for operation in item.values():
            example = examples.get(operation["operationId"])
            if example is None:
                continue
            _put(operation.get("requestBody", {}), example.get("media", JSON), example.get("request"))
            _put(operation["responses"].get(str(example["status"]), {}), JSON, example.get("response"))
    return result


def _put(described: dict[str, Any], media: str, value: Any) -> None:
    content = described.get("content", {}).get(media)
    if content is not None and value is not None:
        content["example"] = value
