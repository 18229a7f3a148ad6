"""A linear FFmpeg filter graph fed with arrays."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import av
import av.filter
import numpy as np

from common.audio.samples import Samples


def layout_of(channels: int) -> str:
    """FFmpeg's name for one or two channels."""
    return "mono" if channels == 1 else "stereo"


def frame_of(samples: Samples, rate: int, at: int) -> Any:
    """Samples as a PyAV frame whose first sample is sample number `at`."""
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples, np.float32), format="fltp", layout=layout_of(samples.shape[0])
    )
    frame.sample_rate = rate
    frame.pts = at
    return frame


class Graph:
    """Filters in a row for planar float input of `rate` Hz; `filters` are pairs of (name, arguments)."""

    def __init__(self, rate: int, channels: int, filters: Sequence[tuple[str, str]]) -> None:
        self._rate, self._at = rate, 0
        graph = av.filter.Graph()
        source = f"sample_rate={rate}:sample_fmt=fltp:channel_layout={layout_of(channels)}:time_base=1/{rate}"
        nodes = [graph.add(name, args) for name, args in [("abuffer", source), *filters, ("abuffersink", "")]]
        for left, right in itertools.pairwise(nodes):
            left.link_to(right)
        graph.configure()
        self._graph, self._source, self._sink = graph, nodes[0], nodes[-1]

    def frames(self, samples: Samples | None) -> Iterator[Any]:
        """Feeds samples, or None at the end, and yields the frames that come out."""
        if samples is None:
            self._source.push(None)
        elif samples.shape[1]:
            self._source.push(frame_of(samples, self._rate, self._at))
            self._at += samples.shape[1]
        while True:
            try:
                frame = self._sink.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            yield frame
