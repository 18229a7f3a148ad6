"""The AsyncAPI 3.0 description of the device socket, made from the messages of `devices.protocol`."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any, get_args

import msgspec

from devices import protocol

COMPONENTS = "#/components/schemas/{name}"


def document() -> dict[str, Any]:
    """The whole document, as JSON can hold it."""
    inbound, outbound = get_args(protocol.Inbound), get_args(protocol.Outbound)
    schemas = schemas_of(*inbound, *outbound)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "sync2gear device protocol",
            "version": "1.0.0",
            "description": (
                "One WebSocket for each speaker. The flow, the close codes and what a receipt proves stand in"
                " docs/device-protocol.md."
            ),
        },
        "defaultContentType": "application/json",
        "servers": {
            "shop": {
                "host": "localhost:8000",
                "protocol": "ws",
                "security": [{"$ref": "#/components/securitySchemes/deviceToken"}],
            }
        },
        "channels": {
            "device": {
                "address": "/ws/devices/{device_id}/",
                "parameters": {"device_id": {"description": "The hardware's own id."}},
                "messages": {tag_of(each): {"$ref": reference_to(each)} for each in (*inbound, *outbound)},
                "bindings": {
                    "ws": {
                        "headers": {
                            "type": "object",
                            "properties": {
                                "Sec-WebSocket-Protocol": {"type": "string", "const": protocol.SUBPROTOCOL}
                            },
                        }
                    }
                },
            }
        },
        "operations": {
            "fromDevice": operation("receive", "What a speaker sends.", inbound),
            "toDevice": operation("send", "What a speaker is sent.", outbound),
        },
        "components": {
            "messages": {tag_of(each): described(each) for each in (*inbound, *outbound)},
            "schemas": schemas,
            "securitySchemes": {
                "deviceToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": (
                        "The speaker's token. A browser, which cannot set headers, offers the subprotocol"
                        f" `{protocol.TICKET_SUBPROTOCOL_PREFIX}<ticket>` besides `{protocol.SUBPROTOCOL}`."
                    ),
                }
            },
        },
    }


def schemas_of(*messages: Any) -> dict[str, Any]:
    """The JSON Schemas of these messages and all that is in them."""
    _, schemas = msgspec.json.schema_components(messages, ref_template=COMPONENTS)
    for schema in schemas.values():
        # Docstrings: Python 3.13 has taken their indentation off, earlier ones have not.
        schema["description"] = cleandoc(schema.get("description", ""))
    return dict(schemas)


def tag_of(message: Any) -> str:
    """The `type` of a message."""
    return str(message.__struct_config__.tag)


def reference_to(message: Any) -> str:
    """Where the document describes a message."""
    return f"#/components/messages/{tag_of(message)}"


def described(message: Any) -> dict[str, Any]:
    """The message object of a message."""
    return {
        "name": tag_of(message),
        "title": message.__name__,
        "summary": " ".join((message.__doc__ or "").split()),
        "payload": {"$ref": COMPONENTS.format(name=message.__name__)},
    }


def operation(
    action: str, summary: str, messages: tuple[Any, ...], *, channel: str = "device"
) -> dict[str, Any]:
    """The operation object of one direction."""
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{tag_of(each)}"} for each in messages],
    }
