"""The events in the OpenAPI document: its `webhooks` section, made from the catalogue (OpenAPI 3.1 §4.8.1)."""

from __future__ import annotations

from typing import Any

from webhooks.domain.catalogue import ALL_TYPES, EventType

EXAMPLE_INSTANT = "2026-03-02T12:00:00Z"

HEADERS = {
    "webhook-id": "Names the message; the same at every attempt.",
    "webhook-timestamp": "When this attempt was made, in seconds since 1970.",
    "webhook-signature": "One or, after a rotation, two of `v1,<base64>`, separated by a space.",
}


def _schema_of(value: Any) -> dict[str, Any]:
    """A JSON schema of what the example shows."""
    match value:
        case dict():
            properties = {name: _schema_of(inner) for name, inner in value.items()}
            if "floor" in properties:  # a speaker may hang on none
                properties["floor"]["type"] = ["object", "null"]
            if properties.get("id") == {"type": "integer"}:  # what an event names may be gone when it is told
                properties["id"] = {"type": ["integer", "null"]}
            return {"type": "object", "properties": properties, "required": sorted(properties)}
        case list():
            return {"type": "array", "items": _schema_of(value[0]), "minItems": 1}
        case int():
            return {"type": "integer"}
        case _:
            return {"type": "string"}


def body_schema(name: str, kind: EventType) -> dict[str, Any]:
    """The JSON schema of this type's messages."""
    return {
        "type": "object",
        "properties": {
            "type": {"const": name},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
            "data": _schema_of(kind.example),
        },
        "required": ["type", "timestamp", "data"],
    }


def _operation(name: str, kind: EventType) -> dict[str, Any]:
    return {
        "tags": ["webhooks"],
        "summary": kind.summary,
        "description": kind.description,
        "parameters": [
            {
                "name": header,
                "in": "header",
                "required": True,
                "description": told,
                "schema": {"type": "string"},
            }
            for header, told in HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": body_schema(name, kind),
                    "example": {"type": name, "timestamp": EXAMPLE_INSTANT, "data": kind.example},
                }
            },
        },
        "responses": {
            "2XX": {"description": "It arrived. Anything else is tried again for about a day."},
            "410": {"description": "Send no more: the webhook is switched off."},
        },
    }


def add_webhooks(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook: the document with its `webhooks`."""
    return result | {"webhooks": {name: {"post": _operation(name, kind)} for name, kind in ALL_TYPES.items()}}
