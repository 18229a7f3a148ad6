"""The AsyncAPI 3.0 description of the dashboards' socket, made from the messages of `live.protocol`."""

from __future__ import annotations

from typing import Any, get_args

from devices.asyncapi import described, operation, reference_to, schemas_of, tag_of
from devices.protocol import TICKET_SUBPROTOCOL_PREFIX
from live import protocol


def document() -> dict[str, Any]:
    """The whole document, as JSON can hold it."""
    inbound, outbound = (protocol.Hello,), get_args(protocol.Outbound)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "sync2gear dashboard socket",
            "version": "1.0.0",
            "description": "What an open dashboard is told. docs/dashboard-socket.md says how it goes together.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "shop": {
                "host": "localhost:8000",
                "protocol": "ws",
                "security": [{"$ref": "#/components/securitySchemes/ticket"}],
            }
        },
        "channels": {
            "dashboard": {
                "address": "/ws/dashboard/",
                "messages": {tag_of(each): {"$ref": reference_to(each)} for each in (*inbound, *outbound)},
            }
        },
        "operations": {
            "fromPage": operation("receive", "What a page sends, once.", inbound, channel="dashboard"),
            "toPage": operation("send", "What a page is sent.", outbound, channel="dashboard"),
        },
        "components": {
            "messages": {tag_of(each): described(each) for each in (*inbound, *outbound)},
            "schemas": schemas_of(*inbound, *outbound),
            "securitySchemes": {
                "ticket": {
                    "type": "httpApiKey",
                    "name": "Sec-WebSocket-Protocol",
                    "in": "header",
                    "description": (
                        f"The page offers the subprotocols `{protocol.SUBPROTOCOL}` and"
                        f" `{TICKET_SUBPROTOCOL_PREFIX}<ticket>`, from `POST /api/auth/ws-ticket/`."
                    ),
                }
            },
        },
    }
