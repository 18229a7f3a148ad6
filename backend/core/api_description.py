"""What the API's description says of the API as a whole: the overview, and the groups of operations."""

from __future__ import annotations

OVERVIEW = """
Music and announcements in shops: on time, together, with proof of play.

**Signing in.** `POST /api/auth/login/` gives an access token, which goes into `Authorization: Bearer …`, and a refresh
token. A speaker has a token of its own, from pairing. Every caller sees the rows of their own business alone:
another's are 404, and 400 when a body refers to them. Sync2gear's staff see all, and name the `client` they act for.

**Errors** are `application/problem+json` (RFC 9457). A program goes by `code`, which is stable; `detail` is a sentence
for a person. Each operation lists the codes it may answer with.

**Retries.** A POST takes an `Idempotency-Key`; within 24 hours the same key and body act once, and the retry is
answered as the first request was, with `Idempotency-Replayed: true`.

**Concurrent changes.** Reading one row gives an `ETag`. Send it as `If-Match` with a change: 412 says that somebody
else was first. `If-None-Match` on reading answers 304 while nothing has changed.

**Lists** have pages (`page`, `page_size`), `search` and `ordering`. The two records that grow without bound, play
events and the audit trail, have a `cursor` and a `limit` instead: follow `next` until it is null.

**Limits.** Where attempts are counted, `RateLimit` and `RateLimit-Policy` say what is left; 429 comes with
`Retry-After`.

The socket of the speakers is described by AsyncAPI, at [`/api/asyncapi/`](/api/asyncapi/). A screen that
shows a shop hears of changes by `ws/dashboard/`, with a ticket of `POST /api/auth/ws-ticket/`. The same operations as
[Swagger UI](/api/docs/), as [Redoc](/api/redoc/), and as a [document](/api/schema/).
""".strip()

_GROUPS: dict[str, dict[str, str]] = {
    "People and businesses": {
        "auth": "Signing in and out, registration, one's own profile.",
        "users": "The accounts of a business.",
        "business": "One's own business and its settings.",
        "clients": "All businesses, for sync2gear's staff.",
    },
    "Places and speakers": {
        "floors": "The floors (zones) of a shop: what hangs on one sounds together.",
        "devices": "Speakers: pairing, state, volume, commands, plans.",
    },
    "Sounds": {
        "music": "Tracks, and the log of what was played for whoever must pay for it.",
        "announcements": "Recorded, uploaded and spoken announcements, and playing one now.",
        "media": "Sounds by signed links, for speakers and audio elements.",
    },
    "What plays when": {
        "channel-playlists": "Music and announcements mixed: the programme of a floor.",
        "schedules": "Rules that fire announcements.",
    },
    "The record": {
        "play-events": "The ledger: what was to play where, and what became of it.",
        "audit-logs": "Who changed and did what.",
        "webhooks": "Events for a business's own systems.",
    },
    "Operation": {
        "ai-providers": "The services that speak and write, for sync2gear's staff.",
    },
}

TAGS = [{"name": name, "description": told} for group in _GROUPS.values() for name, told in group.items()]
TAG_GROUPS = [{"name": title, "tags": list(group)} for title, group in _GROUPS.items()]
