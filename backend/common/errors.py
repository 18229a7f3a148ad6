"""Errors, once: every refusal has a stable code, and leaves the API as RFC 9457 `application/problem+json`.

A rule or service raises `Refusal("quiet_hours", "…")`. The HTTP status and title of a code stand in `CODES`,
nowhere else; `docs/errors.md` is made from the same table.
"""

from __future__ import annotations

import errno
import logging
from dataclasses import dataclass
from typing import Any

import redis
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions as drf
from rest_framework.fields import get_error_detail
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler
from rest_framework.views import set_rollback

from common.context import current_actor

CONTENT_TYPE = "application/problem+json"

WHOLE = frozenset({"non_field_errors", "__all__"})
"""Names that REST framework and Django give to what is wrong with the whole rather than with one field."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means to HTTP (`status`, RFC 9110) and to a person (`title`)."""

    status: int
    title: str


CODES: dict[str, Code] = {
    # what was sent
    "validation_failed": Code(400, "The request is not valid"),
    "malformed": Code(400, "The request cannot be read"),
    "not_found": Code(404, "There is no such thing here"),
    "method_not_allowed": Code(405, "This method is not offered here"),
    "not_acceptable": Code(406, "No such representation is offered"),
    "unsupported_media_type": Code(415, "This content type is not understood"),
    "bad_cursor": Code(400, "The cursor does not belong to this list"),
    "conflict": Code(409, "This contradicts what is already there"),
    "idempotency_key_reused": Code(422, "The idempotency key belongs to another request"),
    "idempotency_in_progress": Code(409, "The first request with this key is still running"),
    "https_required": Code(403, "Only HTTPS is spoken here"),
    "rate_limited": Code(429, "Too many requests"),
    "internal_error": Code(500, "Something went wrong on our side"),
    "unavailable": Code(503, "A part of the server is away"),
    # who asks
    "not_authenticated": Code(401, "Sign in first"),
    "bad_credentials": Code(401, "The sign-in was refused"),
    "token_invalid": Code(401, "The token is not valid"),
    "permission_denied": Code(403, "Your role does not allow this"),
    "wrong_password": Code(400, "The current password is wrong"),
    "own_account": Code(403, "This cannot be done to one's own account"),
    "impersonating": Code(403, "This is not done under a borrowed identity"),
    "no_admin": Code(409, "The business has no active admin"),
    "last_admin": Code(409, "The business would be left without an admin"),
    "link_invalid": Code(400, "The link from the mail opens nothing any more"),
    "not_invited": Code(409, "There is no open invitation"),
    # the state of the business
    "trial_ended": Code(402, "The trial has ended"),
    "client_suspended": Code(403, "The business is suspended"),
    "client_deleting": Code(403, "The business is being deleted"),
    "not_on_trial": Code(409, "The business is not on trial"),
    "deletion_not_requested": Code(409, "Nobody asked for this business to be deleted"),
    "floor_limit": Code(403, "The plan's floors are used up"),
    "out_of_credits": Code(402, "No AI credits are left"),
    # files
    "empty_file": Code(400, "The file is empty"),
    "not_audio": Code(400, "The file is not audio"),
    "no_audio_stream": Code(400, "The file has no sound"),
    "unsupported_format": Code(400, "This audio format is not supported"),
    "truncated": Code(400, "The file is incomplete"),
    "too_long": Code(400, "The audio is too long"),
    "too_large": Code(400, "The upload is too large"),
    "unreadable_media": Code(400, "The file could not be examined"),
    "not_a_picture": Code(400, "The file is no picture of a kind that is taken"),
    "too_many_pixels": Code(400, "The picture has too many pixels"),
    "not_ready": Code(409, "The audio is not ready"),
    "precondition_failed": Code(412, "The record has changed meanwhile"),
    "range_not_satisfiable": Code(416, "The range lies outside the file"),
    "storage_full": Code(507, "There is no room left to store this"),
    "storage_unavailable": Code(503, "The storage does not answer"),
    "bad_signature": Code(403, "The link is not valid or has expired"),
    # speech
    "text_empty": Code(400, "There is nothing to speak"),
    "text_too_long": Code(400, "The text is too long"),
    "text_unspeakable": Code(400, "The text cannot be spoken"),
    "voice_unknown": Code(400, "There is no such voice"),
    "no_voice_for_language": Code(400, "No voice speaks this language"),
    "speech_failed": Code(503, "The voice gave no speech"),
    "no_copy_provider": Code(409, "No provider writes copy"),
    "providers_unavailable": Code(503, "No provider could do it just now"),
    # devices and plays
    "device_revoked": Code(403, "The device's token was revoked"),
    "authorization_pending": Code(400, "Nobody has entered the code yet"),
    "slow_down": Code(400, "The device asks too often"),
    "expired_token": Code(400, "The code has expired"),
    "access_denied": Code(400, "The pairing was refused"),
    "unknown_code": Code(400, "There is no such pairing code"),
    "device_offline": Code(409, "The device is offline"),
    "device_without_floor": Code(409, "The device hangs on no floor"),
    "quiet_hours": Code(409, "It is quiet hours"),
    "floor_stopped": Code(409, "The floor was told to be silent"),
    "no_devices": Code(400, "There is no device to play on"),
    "announcement_disabled": Code(409, "The announcement is switched off"),
    "already_started": Code(409, "It has started already"),
    "already_ended": Code(409, "It has ended already"),
    # webhooks
    "target_refused": Code(400, "Nothing is sent to this address"),
    "webhook_limit": Code(403, "The business has as many webhooks as it may"),
    "webhook_off": Code(409, "The webhook is switched off"),
    "already_pending": Code(409, "It is still being tried"),
}


class Refusal(Exception):
    """A rule says no. `code` is in `CODES`; `detail` is a sentence for a person; `fields` are extra members."""

    def __init__(self, code: str, detail: str, *, field: str | None = None, **members: Any) -> None:
        if code not in CODES:
            raise KeyError(f"{code!r} is not in common.errors.CODES")
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field
        self.members = members


class StorageUnavailable(OSError):
    """The storage of media cannot be reached, or refuses; not the fault of whoever asked."""


AWAY = (OperationalError, InterfaceError, redis.ConnectionError, redis.TimeoutError)
"""What is raised where the database or Redis is gone, full, or does not answer; not the fault of whoever asked."""

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""The numbers of an OSError that say that a disk, or a share of it, is full."""


def problem(code: str, detail: str, *, status: int | None = None, **members: Any) -> dict[str, Any]:
    """The members of one problem document (RFC 9457 §3.1), with the request's id."""
    meaning = CODES[code]
    body: dict[str, Any] = {
        "type": f"urn:sync2gear:problem:{code}",
        "title": meaning.title,
        "status": status or meaning.status,
        "detail": detail,
        "code": code,
    }
    request_id = current_actor().request_id
    if request_id:
        body["request_id"] = request_id
    return body | members


def problem_response(code: str, detail: str, **members: Any) -> JsonResponse:
    """A problem as a plain Django response, for what answers outside REST framework."""
    body = problem(code, detail, **members)
    return JsonResponse(body, status=body["status"], content_type=CONTENT_TYPE)


_DRF_CODES: tuple[tuple[type[Exception], str], ...] = (
    (drf.NotAuthenticated, "not_authenticated"),
    (drf.AuthenticationFailed, "token_invalid"),
    (drf.PermissionDenied, "permission_denied"),
    (drf.NotFound, "not_found"),
    (drf.MethodNotAllowed, "method_not_allowed"),
    (drf.NotAcceptable, "not_acceptable"),
    (drf.UnsupportedMediaType, "unsupported_media_type"),
    (drf.Throttled, "rate_limited"),
    (drf.ParseError, "malformed"),
)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's EXCEPTION_HANDLER: every error it can see becomes a problem document."""
    if isinstance(exc, OSError):
        exc = _of_storage(exc) or exc
    if isinstance(exc, AWAY):
        logger.error("the database or Redis is away", exc_info=exc)
        exc = Refusal("unavailable", "Try again in a few seconds.", headers={"Retry-After": "5"})
    if isinstance(exc, Refusal):
        return _refused(exc)
    if isinstance(exc, DjangoValidationError):
        exc = drf.ValidationError(get_error_detail(exc))
    if isinstance(exc, IntegrityError):
        logger.warning("integrity error answered as a conflict", exc_info=exc)
        set_rollback()
        return _respond(problem("conflict", "Another record already holds one of these values."))
    if isinstance(exc, DataError):
        logger.warning("data error answered as a request that is not valid", exc_info=exc)
        set_rollback()
        return _respond(
            problem("validation_failed", "One of these values is more than can be stored.", errors=[])
        )
    if isinstance(exc, Http404):
        exc = drf.NotFound()
    if isinstance(exc, PermissionDenied):
        exc = drf.PermissionDenied()

    plain = drf_exception_handler(exc, context)
    if plain is None or not isinstance(exc, drf.APIException):
        return None
    if isinstance(exc, drf.ValidationError):
        errors = list(_flatten(exc.detail))
        body = problem("validation_failed", _summary(errors), errors=errors)
    else:
        code = next((code for kind, code in _DRF_CODES if isinstance(exc, kind)), "malformed")
        body = problem(code, _sentence(exc.detail), status=exc.status_code)
    return _respond(body, headers=_kept_headers(plain))


def _of_storage(error: OSError) -> Refusal | None:
    """What a failing disk or bucket means to the caller; None for any other OSError."""
    if error.errno in FULL:
        logger.error("the storage is full", exc_info=error)
        return Refusal("storage_full", "Nothing was kept. Free some room, or ask whoever runs this server.")
    if isinstance(error, StorageUnavailable):
        logger.error("the storage does not answer", exc_info=error)
        return Refusal(
            "storage_unavailable", "Nothing was kept. Try again in a minute.", headers={"Retry-After": "60"}
        )
    return None


def _sentence(detail: Any) -> str:
    """The sentence of an APIException; simplejwt wraps its own in a dict."""
    return str(detail["detail"]) if isinstance(detail, dict) and "detail" in detail else str(detail)


def _refused(refusal: Refusal) -> Response:
    set_rollback()
    members = dict(refusal.members)
    headers = members.pop("headers", {})
    if refusal.field:
        members["errors"] = [{"field": refusal.field, "code": refusal.code, "detail": refusal.detail}]
    return _respond(problem(refusal.code, refusal.detail, **members), headers=headers)


def _respond(body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(body, status=body["status"], headers=headers, content_type=CONTENT_TYPE)


def _kept_headers(response: Response) -> dict[str, str]:
    return {name: response[name] for name in ("WWW-Authenticate", "Retry-After", "Allow") if name in response}


def _flatten(detail: Any, path: str = "") -> Any:
    """Nested REST framework details as flat `{field, code, detail}` entries; list places become `items.0.name`."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            below = "" if name in WHOLE else str(name)
            yield from _flatten(inner, ".".join(part for part in (path, below) if part))
    elif isinstance(detail, list):
        for place, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from _flatten(inner, f"{path}.{place}" if nested and path else path)
    else:
        yield {"field": path or None, "code": getattr(detail, "code", "invalid"), "detail": str(detail)}


def _summary(errors: list[dict[str, Any]]) -> str:
    first = errors[0] if errors else {"field": None, "detail": "The request is not valid."}
    where = f"{first['field']}: " if first["field"] else ""
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{where}{first['detail']}{more}"


def bad_request_view(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Django's handler400: what is refused before any view sees it, such as a Host that is not ours."""
    return problem_response("malformed", "This request was refused before it was read.")


def not_found_view(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Django's handler404."""
    return problem_response("not_found", f"{request.path} leads nowhere.")


def server_error_view(request: HttpRequest) -> JsonResponse:
    """Django's handler500: says nothing of the inside, but names the request for whoever reads the logs."""
    return problem_response("internal_error", "The failure was logged under this request id.")
