"""Pages of 50 plays out of 5,000,000, on PostgreSQL: ours by cursor, and REST framework's own list by page number.

Baseline in the same run, in turn with ours, on the same rows and indexes with the same filters and columns: a
`ModelViewSet` with `PageNumberPagination`, a `ModelSerializer` and a `FilterSet`, as the libraries' own tutorials have
it. Both lists stand behind the same middleware, sign-in, role, scope and rate limit; what these take by themselves is
measured beside them, by a view that lists nothing. Deep is the page in the middle of what the filter leaves. All
requests are made in this process, without HTTP.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "backend")]

from ground import database, execute, summary, timed  # noqa: E402  # the paths above come first
from ground.millions import LASTING, Size, arguments, filled  # noqa: E402

URL, PLAIN, NOTHING = "/api/play-events/", "/api/plain/", "/api/nothing/"
MIDDLE = "2025-12-13T12:00:00Z"
"""Half of the rows are older."""
DAY = "from=2026-02-01T00:00:00Z&to=2026-02-02T00:00:00Z"
FILTERS = {
    "all": "",
    "of a business": "client=500",
    "of a floor": "floor=999",
    "of a speaker": "device=4991",
    "failed": "status=failed",
    "a day half a year ago": DAY,
    "of a business, that day": f"client=500&{DAY}",
}
INDEXES = (
    "event_newest", "event_client_newest", "event_floor_newest", "event_device_newest", "event_words_newest",
    "event_reason_newest", "event_due", "event_client_due", "event_created_by",
)  # fmt: skip


def baseline() -> None:
    """Puts REST framework's list of the same rows at PLAIN, and a view that lists nothing at NOTHING."""
    from django.test import override_settings
    from django.urls import path
    from django_filters.rest_framework import DjangoFilterBackend, FilterSet
    from rest_framework.pagination import PageNumberPagination
    from rest_framework.renderers import JSONRenderer
    from rest_framework.request import Request
    from rest_framework.response import Response
    from rest_framework.viewsets import ReadOnlyModelViewSet

    from common.api import GuardedAPIView
    from common.permissions import IsFloorUser
    from core.urls import urlpatterns
    from events.filters import PlayEventFilter
    from events.models import PlayEvent
    from events.serializers import PlayEventSerializer

    class Numbered(PageNumberPagination):
        page_size = 50

    class Filters(FilterSet):  # type: ignore[misc]  # django-filter is untyped
        class Meta:
            model = PlayEvent
            fields: list[str] = []

    Filters.base_filters = PlayEventFilter.base_filters

    class Plain(GuardedAPIView, ReadOnlyModelViewSet[PlayEvent]):
        queryset = PlayEvent._base_manager.select_related("created_by").order_by("-created_at", "-id")
        serializer_class = PlayEventSerializer
        pagination_class = Numbered
        filter_backends = (DjangoFilterBackend,)
        filterset_class = Filters
        renderer_classes = (JSONRenderer,)
        access = {"list": IsFloorUser}

    class Nothing(GuardedAPIView):
        access = {"get": IsFloorUser}

        def get(self, request: Request) -> Response:
            return Response({"next": None, "previous": None, "results": []})

    views = {PLAIN: Plain.as_view({"get": "list"}), NOTHING: Nothing.as_view()}
    added = [path(url.removeprefix("/"), view, name=url) for url, view in views.items()]
    override_settings(ROOT_URLCONF=(*added, *urlpatterns)).enable()


def measured(rounds: int) -> dict[str, dict[str, Any]]:
    """Of each filter and place: our time and the baseline's, in turn; a first round is not counted."""
    from rest_framework.test import APIClient

    from users.models import User

    api = APIClient()
    api.force_authenticate(
        User.everyone.filter(is_superuser=True).first()
        or User.everyone.create_superuser("staff@example.com", email="staff@example.com", role="admin")
    )
    baseline()
    logging.disable(logging.INFO)  # a line for each request goes to stderr, which may be a slow terminal

    def asked(url: str, query: str) -> bytes:
        answer = api.get(f"{url}?{query}")
        assert answer.status_code == 200, answer.content
        return bytes(answer.content)

    def ours(query: str) -> Any:
        return json.loads(asked(URL, query))

    rows: dict[str, dict[str, Any]] = {}
    for name, query in FILTERS.items():
        count = json.loads(asked(PLAIN, query))["count"]
        for place, cursor, page in (
            ("first", "", 1),
            ("deep", halfway(ours, query, count), max(1, count // 100)),
        ):
            assert ours(query + cursor)["results"], query + cursor
            sides = {
                "ours": (URL, query + cursor),
                "baseline": (PLAIN, f"{query}&page={page}"),
                "nothing": (NOTHING, query),
            }
            taken: dict[str, list[float]] = {side: [] for side in sides}
            for _ in range(rounds + 1):
                for side, (url, wanted) in sides.items():
                    taken[side].append(timed(partial(asked, url, wanted)))
            times = {side: summary(values[1:])["median_ms"] for side, values in taken.items()}
            alone = [times[side] - times["nothing"] for side in ("baseline", "ours")]
            rows[f"{name}, {place}"] = {
                "rows": count,
                **times,
                "ratio": round(times["baseline"] / times["ours"], 1),
                "ratio_of_the_lists_alone": round(alone[0] / alone[1], 1),
            }
    return rows


def halfway(ours: Callable[[str], Any], query: str, count: int) -> str:
    """A cursor in the middle: of all rows, that of the page that ends there; of few, pages are turned."""
    if "from=" not in query:
        # The order of a range is another one, so the range is asked for in the list's own.
        link = ours(f"{query}&limit=1&ordering=-created_at&to={MIDDLE}")["next"]
    else:
        link, seen = ours(f"{query}&limit=200")["next"], 200
        while link and seen < count // 2:
            link, seen = ours(urlsplit(link).query)["next"], seen + 200
    return f"&cursor={parse_qs(urlsplit(link).query)['cursor'][0]}" if link else ""


def insert_costs(rounds: int) -> dict[str, Any]:
    """What each index adds to writing 5,000 plays: the time without it, against all, in turn."""
    from django.db import connection, transaction

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE indexname = ANY(%s)", [list(INDEXES)]
        )
        definitions = dict(cursor.fetchall())
    execute("CREATE TEMP TABLE fresh AS SELECT * FROM play_events ORDER BY created_at DESC LIMIT 5000")

    @contextmanager
    def without(names: tuple[str, ...]) -> Iterator[None]:
        with transaction.atomic():
            for name in names:
                execute(f"DROP INDEX {name}")
            yield
            transaction.set_rollback(True)

    def write() -> None:
        execute("UPDATE fresh SET id = gen_random_uuid(), created_at = created_at + interval '1 s'")
        execute("INSERT INTO play_events SELECT * FROM fresh")

    def once(names: tuple[str, ...]) -> float:
        with without(names):
            return timed(write)

    cases: dict[str, tuple[str, ...]] = {"all indexes": ()} | {
        f"without {name}": (name,) for name in definitions
    }
    cases["without all of them"] = tuple(definitions)
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds + 1):
        for name, left_out in cases.items():
            taken[name].append(once(left_out))
    return {name: summary(values[1:])["median_ms"] for name, values in taken.items()}


def main() -> None:
    """Prints one JSON line and a table."""
    options = arguments(__doc__)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--indexes", action="store_true", help="what each index costs the writing of plays")
    chosen = options.parse_args()
    with database(chosen.data, LASTING):
        filled(Size(events=chosen.events, clients=chosen.clients))
        rows = measured(chosen.rounds)
        costs = insert_costs(chosen.rounds) if chosen.indexes else {}
    line = {"bench": "list_events", "events": chosen.events, "rounds": chosen.rounds, "pages": rows}
    print(json.dumps(line | ({"insert_ms": costs} if costs else {})))
    print(f"{'':36}{'rows':>10}{'ours ms':>10}{'baseline':>10}{'nothing':>10}{'ratio':>8}{'alone':>8}")
    for name, row in rows.items():
        print(
            f"{name:36}{row['rows']:10}{row['ours']:10.1f}{row['baseline']:10.1f}{row['nothing']:10.1f}"
            f"{row['ratio']:8.1f}{row['ratio_of_the_lists_alone']:8.1f}"
        )
    for name, ms in costs.items():
        print(f"5,000 plays written, {name:32}{ms:10.1f} ms")


if __name__ == "__main__":
    main()
