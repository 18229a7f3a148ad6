"""`manage.py observability_doc > docs/observability.md`: figures and alerts from where they are declared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml
from django.conf import settings
from django.core.management.base import BaseCommand

from common.metrics import DECLARED, GONE_AFTER_S, SHARE_EVERY_S, Declared
from core import figures, health
from core.probes import READ_WITHIN_S

FOLDER = settings.PROJECT_ROOT / "deploy" / "observability"
RULES = FOLDER / "rules.yml"

CHECKED = ", ".join(f"`{name}`" for name in health.CHECKS)

HEAD = f"""# Health and observation

What a process says of itself, and what somebody on call does with it. The tables are made from the code
and from the alert rules by `manage.py observability_doc`; a test holds them together.

## Is it alive, can it serve?

| path | answers | what to do with it |
|---|---|---|
| `/health/live` | 200 while the process answers | restart it when it does not |
| `/health/ready` | 200, or 503 and what is unwell: {CHECKED} | send it none; a restart is no help |

Every check has {health.WITHIN_S:g} s and a thread of its own. One that hangs is told as such, holds up neither the
others nor the answer, and is not asked again until it ends. `storage` writes a small file where media lie, so a
full disk and one that can only be read are told; of a bucket it asks. Both paths need no name, no token and no TLS,
and tell no secret and no address: the log has the reasons.

## Figures

`/metrics` answers in Prometheus' text format 0.0.4 to who sends `METRICS_TOKEN` as a Bearer token: 401 without it,
and 404 where none is set. [prometheus.yml](../deploy/observability/prometheus.yml) scrapes it,
[grafana-dashboard.json](../deploy/observability/grafana-dashboard.json) shows it (Grafana 10 or newer: import it,
choose the Prometheus; it was checked by tests and promtool, not in a Grafana),
[rules.yml](../deploy/observability/rules.yml) alerts.

**One address for the whole installation.** Web processes share a port and cannot be asked one by one, Celery's
processes have none, and what matters ("how many speakers are online") stands in the database anyway. So every
process tells for all:

- how things stand is read from the database, the broker and the disk when somebody asks. That costs the same
  with a million plays on the record as with none: it reads indexes of what is open, and counts to
  {figures.MOST:,} at most. Measured (`make bench ARGS=scrape`, two busy cores, 10,000 speakers, 20,000 schedules,
  2,000 open plays): 51 ms in the median with 1,002,000 plays, 112 ms before they were written;
- what happens is counted where it happens and added to sums in Redis every {SHARE_EVERY_S:g} s. A process that
  dies takes its last {SHARE_EVERY_S:g} s with it, and its gauges are forgotten after {GONE_AFTER_S:g} s; a
  Redis without its data begins every counter anew, which `rate()` and `increase()` know how to read. The truth
  about plays is the ledger; these figures are for seeing that something is wrong, and where.

A part that cannot be read within {READ_WITHIN_S:g} s is missing from the page, and `sync2gear_part_up` says which.

**No business, floor or speaker is a label**: a thousand of them would be a thousand series of every figure. Which
one it is, the API and the logs tell. Labels are routes (without their ids), tasks, reasons and AI accounts, all of
which are as many as the code has, or as staff set up.

A play that is closed by a rule and opened again before its time counts twice in `plays_ended`. Daphne, which has no
lifespan, tells of its process only from the first speaker on.

"""

LOGS = """
## Logs

One line for each event, JSON in production (`LOG_FORMAT`), on standard error. All lines have `at` (ISO 8601, UTC, µs),
`level`, `logger`, `message` and `process`; where there is one also

| field | on the lines of | what it is |
|---|---|---|
| `request_id` | a request, and every job that it ordered | `X-Request-ID` of the answer; the audit trail has it too |
| `actor`, `real_actor` | a request | who asks, and who really does under impersonation |
| `client` | a request, a speaker's socket | the business's key; none for sync2gear's own staff |
| `device` | a speaker's socket | the speaker's key |
| `task`, `task_id` | a job | which one, and which run of it |
| `exception` | a failure | the traceback |

Some lines are for machines alone, and are told only as JSON:

| `logger` | a line for | besides |
|---|---|---|
| `sync2gear.requests` | every request | `method`, `path` (never its query), `status`, `ms`, `address` |
| `sync2gear.jobs` | every job that a request ordered, when it ends | `outcome` (`done`, `failed`), `ms` |
| `sync2gear.sockets` | every speaker that comes or goes | `session`; `address`, or the `code` of its end |

To follow a request: `grep '"request_id": "…"'` in the logs of web processes and workers, and
`GET /api/audit-logs/?request_id=…` for what it changed.

"""

ALERTS = """## Alerts

`critical`: shops hear, or will soon hear, something wrong. `warning`: nobody hears it yet.
[rules.test.yml](../deploy/observability/rules.test.yml) holds cases in which they fire and do not; run it with
`promtool test rules rules.test.yml` in that folder (promtool comes with Prometheus).

| alert | how bad | what is the matter | what to do |
|---|---|---|---|
"""


def page() -> str:
    """The whole page, as Markdown."""
    return HEAD + "".join([*_figures(), LOGS, ALERTS, *_alerts()])


def alerts() -> list[dict[str, Any]]:
    """The alert rules."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _figures() -> Iterable[str]:
    for title, declared in (
        ("Read when somebody asks", figures.described()),
        ("Counted as it happens, by all processes", sorted(DECLARED, key=lambda each: each.name)),
    ):
        yield f"### {title}\n\n| figure | type | labels | unit | what it says |\n|---|---|---|---|---|\n"
        for each in declared:
            labels = ", ".join(f"`{label}`" for label in each.labels)
            yield f"| `{each.name}` | {each.kind} | {labels} | {_unit(each)} | {each.documentation} |\n"
        yield "\n"


def _unit(declared: Declared) -> str:
    words = declared.name.removesuffix("_timestamp_seconds").split("_")
    if declared.name.endswith("_timestamp_seconds"):
        return "s since 1970, UTC"
    return {"seconds": "s", "bytes": "bytes", "dollars": "US dollars"}.get(words[-1], "")


def _alerts() -> Iterable[str]:
    for rule in alerts():
        told = rule["annotations"]
        summary = (
            told["summary"].replace("{{ $labels.", "⟨").replace("{{ $value", "⟨value").replace(" }}", "⟩")
        )
        yield f"| `{rule['alert']}` | {rule['labels']['severity']} | {_plain(summary)} | {told['mend']} |\n"


def _plain(summary: str) -> str:
    """Without the template's way of writing numbers."""
    for how in (" | humanizeDuration", " | humanizePercentage", " | humanize1024", " | humanize"):
        summary = summary.replace(how, "")
    return summary


class Command(BaseCommand):
    """Prints the page."""

    help = "Print the tables of figures, log fields and alerts (docs/observability.md)."

    def handle(self, *args: Any, **options: Any) -> None:
        """To standard output."""
        self.stdout.write(page(), ending="")
