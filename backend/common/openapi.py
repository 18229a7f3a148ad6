"""The OpenAPI description: what every operation has in common stands here, what is its own beside the view.

    @extend_schema(summary="Make a floor", responses={201: FloorSerializer, **writing("floor_limit")})

`problems` lists exactly its codes; `reading` and `writing` add those that the ground of every API view gives.
`HouseSchema` adds by itself who may call (from `access`) and the refusals of the parsers.
"""

from __future__ import annotations

import inspect
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import force_instance
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from common.errors import CODES, CONTENT_TYPE
from common.serializers import WALL_CLOCK
from common.tenancy import NOTHING, entered

SIGNED_IN = ("not_authenticated", "token_invalid", "permission_denied")
"""What every operation answers that needs a person."""
BODY = ("validation_failed", "malformed")
"""What every operation answers that takes a body."""
LOCKED = ("trial_ended", "client_suspended")
"""What every operation answers that a locked business may not do."""


def _header(told: str) -> dict[str, Any]:
    return {"schema": {"type": "string"}, "description": told}


HEADERS = {
    "ETag": _header("The version of the row."),
    "Idempotency-Replayed": _header("`true`: the answer that the first request with this key got."),
    "RateLimit": _header('What is left: `"name";r=attempts;t=seconds until it is full again`.'),
    "RateLimit-Policy": _header('The limits: `"name";q=attempts;w=seconds`.'),
    "Retry-After": _header("In so many seconds."),
}
"""Response headers of the ground (RFC 9110; IETF drafts idempotency-key-header and ratelimit-headers-10)."""
DONE = frozenset({"200", "201", "202", "204", "207"})
"""The statuses of what was done as asked."""


def _parameter(name: str, told: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": told, "schema": {"type": "string", **schema}}


IDEMPOTENCY_KEY = _parameter(
    "Idempotency-Key",
    "A fresh random text for each thing that is to happen once. A retry with the same key and body is answered as the"
    " first request was.",
    minLength=1,
    maxLength=255,
)
IF_MATCH = _parameter(
    "If-Match", "The ETag of what is to be changed: 412 if somebody else has changed it since."
)
IF_NONE_MATCH = _parameter("If-None-Match", "The ETag of what the caller has: 304 while it holds.")


class FieldProblemSerializer(serializers.Serializer[Any]):
    """One thing that is wrong with what was sent."""

    field = serializers.CharField(allow_null=True, help_text="Its place, `items.0.name`; null: the whole.")
    code = serializers.CharField(help_text="Stable.")
    detail = serializers.CharField(help_text="A sentence for a person.")


class ProblemSerializer(serializers.Serializer[Any]):
    """Why a request was refused (RFC 9457)."""

    type = serializers.CharField(help_text="`urn:sync2gear:problem:` and the code.")
    title = serializers.CharField(help_text="What the code means.")
    status = serializers.IntegerField(help_text="The HTTP status.")
    detail = serializers.CharField(help_text="A sentence for a person.")
    code = serializers.ChoiceField(choices=sorted(CODES), help_text="Stable; programs decide by it.")
    request_id = serializers.CharField(required=False, help_text="Names this request in the server's logs.")
    # The metaclass takes the declared field out of the class: `errors` stays REST framework's property.
    errors = FieldProblemSerializer(many=True, required=False)  # type: ignore[assignment]  # for that reason


def problems(*codes: str) -> dict[tuple[int, str], OpenApiResponse]:
    """Responses for `extend_schema`: these codes, gathered by HTTP status. KeyError for an unknown one."""
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(CODES[code].status, []).append(f"`{code}`: {CODES[code].title}.")
    return {
        (status, CONTENT_TYPE): OpenApiResponse(ProblemSerializer, description="\n\n".join(lines))
        for status, lines in sorted(by_status.items())
    }


def reading(*codes: str) -> dict[tuple[int, str], OpenApiResponse]:
    """What a signed-in read may be refused with, and these codes."""
    return problems(*SIGNED_IN, "not_found", *codes)


def writing(*codes: str) -> dict[tuple[int, str], OpenApiResponse]:
    """What a signed-in write may be refused with, and these codes."""
    return problems(*BODY, *SIGNED_IN, *LOCKED, "not_found", *codes)


class HouseSchema(AutoSchema):
    """Describes an operation, and what the ground under its view adds to it."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        """The operation object, complete."""
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        told = operation.get("description", "")
        operation["description"] = f"{told}\n\n**Who may call:** {self._who()}".strip()
        codes = self._ground_codes(operation)
        if self._acts_once():
            operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
            codes += [*BODY, "unsupported_media_type", "idempotency_key_reused", "idempotency_in_progress"]
            self._add_headers(operation, "Idempotency-Replayed", to=DONE)
        if self._knows_versions():
            reads = self.method == "GET"
            operation.setdefault("parameters", []).append(IF_NONE_MATCH if reads else IF_MATCH)
            if reads:
                operation["responses"]["304"] = {
                    "description": "`If-None-Match` names what is here.",
                }
            else:
                codes += ["precondition_failed"]
            self._add_headers(operation, "ETag", to=frozenset({"200", "304"}))
        self._add_problems(operation, *codes)
        if "429" in operation["responses"]:
            self._add_headers(operation, "Retry-After", to=frozenset({"429"}))
            self._add_headers(operation, "RateLimit", "RateLimit-Policy", to=DONE | {"429"})
        return operation

    def get_description(self) -> str:  # type: ignore[override]
        """Nothing of its own: docstrings are for the reader of the code."""
        return ""

    def map_parsers(self) -> list[str]:
        """JSON wherever it is understood. Forms are, too, but three ways to send one thing help no reader."""
        media = list(super().map_parsers())
        return ["application/json"] if "application/json" in media else media

    def _acts_once(self) -> bool:
        """Whether the operation honours an `Idempotency-Key`."""
        view: Any = self.view
        return self.method == "POST" and view.action_name() not in view.repeatable

    def _knows_versions(self) -> bool:
        """Whether the operation is on one row that has an entity tag."""
        view: Any = self.view
        return view.action_name() in view.conditional

    def _add_headers(self, operation: dict[str, Any], *names: str, to: frozenset[str]) -> None:
        """Documents these headers of the responses with one of these statuses."""
        for status in to & operation["responses"].keys():
            answer = operation["responses"][status]
            answer["headers"] = answer.get("headers", {}) | {name: HEADERS[name] for name in names}

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> Any:
        """A time of day without a zone is none of RFC 3339, which `format: time` means."""
        schema = super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]  # the library's own
        if isinstance(field, serializers.TimeField):
            schema = {name: value for name, value in schema.items() if name != "format"}
            schema["pattern"] = WALL_CLOCK
        return schema

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Any:
        """A read-only field that says `required=False` may be absent from an answer."""
        schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]  # the same
        fields: Any = force_instance(serializer).fields  # type: ignore[no-untyped-call]  # the same
        absent = {name for name, field in fields.items() if field._kwargs.get("required") is False}
        if direction == "response" and absent & set(schema.get("required", ())):
            schema["required"] = [
                name for name in schema["required"] if name not in absent or not fields[name].read_only
            ]
        return schema

    def _who(self) -> str:
        """The first line of the docstring of the permission that guards the action."""
        view: Any = self.view
        permission = view.access[view.action_name()]
        return (inspect.getdoc(permission) or "").partition("\n")[0]

    def _ground_codes(self, operation: dict[str, Any]) -> list[str]:
        """What parsers, filters and renderers refuse before a handler or a service has a say."""
        codes = ["rate_limited"]
        if not hasattr(self.view.content_negotiation_class, "any_accept"):
            codes += ["not_acceptable"]
        if "requestBody" in operation:
            codes += [*BODY, "unsupported_media_type"]
        queried = {
            parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"
        }
        if queried:
            codes += ["validation_failed"]
        if "page" in queried:
            codes += ["not_found"]
        return codes

    def _add_problems(self, operation: dict[str, Any], *codes: str) -> None:
        """Adds these refusals to the operation's responses, once each."""
        problem = self.resolve_serializer(ProblemSerializer, "response").ref
        responses = operation["responses"]
        for (status, media), answer in problems(*codes).items():
            there = responses.setdefault(
                str(status), {"content": {media: {"schema": problem}}, "description": ""}
            )
            lines = [
                line for line in str(answer.description).split("\n\n") if line not in there["description"]
            ]
            there["description"] = "\n\n".join(filter(None, [there["description"], *lines]))
        operation["responses"] = dict(sorted(responses.items()))


class ScopedSchemaGenerator(SchemaGenerator):
    """Reads the views' querysets for their shape while nobody's rows are in scope."""

    def get_schema(self, request: Any = None, public: bool = False) -> Any:
        """The OpenAPI document."""
        with entered(NOTHING):
            return super().get_schema(request, public)  # type: ignore[no-untyped-call]  # the library's own
