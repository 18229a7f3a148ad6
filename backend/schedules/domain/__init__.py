"""When announcements fire, which one, and who yields to whom, as pure functions."""

from schedules.domain.choice import choose
from schedules.domain.conflicts import Claim, Loser, Loss, Play, Resolution, resolve
from schedules.domain.fatigue import floor_occurrences
from schedules.domain.ids import occurrence_event_id, occurrence_play_id, programme_event_id
from schedules.domain.mix import GainPoint, Layer, Mix, mix, music_gain, programme_claims
from schedules.domain.occurrences import next_instant, next_occurrence, occurrences
from schedules.domain.rules import (
    Candidate,
    DateRange,
    FloorRules,
    Occurrence,
    Priority,
    Reason,
    ScheduleRule,
    interval_rule,
    timeline_rule,
)

__all__ = [
    "Candidate",
    "Claim",
    "DateRange",
    "FloorRules",
    "GainPoint",
    "Layer",
    "Loser",
    "Loss",
    "Mix",
    "Occurrence",
    "Play",
    "Priority",
    "Reason",
    "Resolution",
    "ScheduleRule",
    "choose",
    "floor_occurrences",
    "interval_rule",
    "mix",
    "music_gain",
    "next_instant",
    "next_occurrence",
    "occurrence_event_id",
    "occurrence_play_id",
    "occurrences",
    "programme_claims",
    "programme_event_id",
    "resolve",
    "timeline_rule",
]
