"""What the engine's properties are tried on: zones with odd clocks, instants near their changes, quiet hours."""

from __future__ import annotations

from datetime import date, time

from hypothesis import strategies as st

from zones.domain import QuietHours, load_zone, midnight
from zones.domain.wallclock import MINUTE_US

ZONES = (
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "America/Havana",
    "Africa/Cairo",
    "Asia/Beirut",
    "America/Santiago",
    "America/St_Johns",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Etc/UTC",
)
CHANGES = (
    date(2026, 2, 15),
    date(2026, 3, 8),
    date(2026, 3, 22),
    date(2026, 3, 29),
    date(2026, 4, 5),
    date(2026, 4, 24),
    date(2026, 9, 27),
    date(2026, 10, 4),
    date(2026, 10, 25),
    date(2026, 10, 30),
    date(2026, 11, 1),
    date(2026, 12, 31),
    date(2028, 2, 29),
    date(2011, 12, 30),
)

zones = st.sampled_from(ZONES).map(load_zone)
near_a_change = st.tuples(st.sampled_from(CHANGES), st.integers(-2, 2)).map(
    lambda pair: pair[0].toordinal() + pair[1]
)
any_day = st.one_of(near_a_change, st.integers(date(2020, 1, 1).toordinal(), date(2035, 1, 1).toordinal()))
weekdays = st.frozensets(st.integers(1, 7))
times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
quiet_hours = (
    st.tuples(times, times).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: QuietHours(*pair))
)
maybe_quiet = st.none() | quiet_hours


@st.composite
def cut_windows(draw: st.DrawFn, most_hours: int = 60) -> tuple[object, int, int, int]:
    """A zone, and a window near a local day with a place to cut it: (zone, start, cut, end)."""
    zone = draw(zones)
    begin = midnight(zone, draw(any_day))
    lengths = st.integers(0, most_hours * 60)
    start = begin + draw(st.integers(-1440, 1440)) * MINUTE_US + draw(st.integers(0, 59_999_999))
    first, second = draw(lengths), draw(lengths)
    return zone, start, start + first * MINUTE_US, start + (first + second) * MINUTE_US
