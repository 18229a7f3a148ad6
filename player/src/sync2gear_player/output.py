"""The thread that makes the sound: asks the sink when, the clock what time that is, the mixer for the block."""

from __future__ import annotations

import heapq
import itertools
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from sync2gear_player.clock import Clock
from sync2gear_player.clockfilter import Estimate
from sync2gear_player.heard import Ears, MusicHeard
from sync2gear_player.messages import NOTHING, NowPlaying
from sync2gear_player.mixer.graph import Mixer
from sync2gear_player.mixer.timeline import Timeline
from sync2gear_player.mixer.voices import ClipEnded, ClipStarted
from sync2gear_player.programme import Programme
from sync2gear_player.sinks.base import BLOCK_FRAMES, Sink, SinkError

REOPEN_S = 5.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SegmentStarted:
    """A segment of the programme began to sound with `frame`, at `position_ms` of its asset."""

    segment_id: str
    frame: int
    position_ms: int


@dataclass(frozen=True)
class OutputFailed:
    """The sink failed; every clip that was armed or sounding is lost. It is opened again after a while."""

    why: str
    lost: tuple[str, ...]


@dataclass(frozen=True)
class OutputCrashed:
    """The thread ended by an error of the program: nothing sounds any more."""

    error: BaseException


Note = ClipStarted | ClipEnded | SegmentStarted | MusicHeard | OutputFailed | OutputCrashed
Command = Callable[[Mixer, Programme], None]


@dataclass(frozen=True)
class OutputState:
    """A glance at the output, replaced as a whole."""

    now_playing: NowPlaying = NOTHING
    underruns: int = 0


class Output:
    """Owns mixer and programme; others reach them through `submit`.

    `notify` is called in this thread, when the frame that a note speaks of has left the sink: what is reported
    has been output, not merely rendered.
    """

    def __init__(
        self,
        sink: Sink,
        clock: Clock,
        mixer: Mixer,
        programme: Programme,
        estimate: Estimate,
        notify: Callable[[Note], None],
    ) -> None:
        self.estimate = estimate
        self.output_delay_ms = 0
        self.state = OutputState()
        self._sink = sink
        self._clock = clock
        self._mixer = mixer
        self._programme = programme
        self._notify = notify
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._later: list[tuple[float, int, Note]] = []
        self._order = itertools.count()
        self._segment = ""
        self._ears = Ears()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="output", daemon=True)

    def submit(self, command: Command) -> None:
        """Has the output's thread run `command` before its next block."""
        self._commands.put(command)

    def start(self) -> None:
        """Opens the sink (raises `SinkError`) and begins."""
        self._sink.start()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and closes the sink."""
        self._stopping.set()
        self._sink.stop()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)
        self._sink.close()

    def last_words(self) -> list[MusicHeard]:
        """The music that sounded when it was stopped; call it after `stop`."""
        return self._ears.stop()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    self._play()
                except SinkError as error:
                    self._fail(error)
        except BaseException as error:  # noqa: BLE001  the one place that sees it hands it to the main thread
            self._notify(OutputCrashed(error))

    def _play(self) -> None:
        frame = 0
        while self._sink.wait(frame):
            while not self._commands.empty():
                self._commands.get()(self._mixer, self._programme)
            timeline = self._timeline(frame)
            block, notes = self._mixer.render(timeline, BLOCK_FRAMES)
            self._sink.write(frame, block)
            for note in notes:
                self._post(note.frame, note)
            self._look(frame)
            self._listen(frame)
            frame += BLOCK_FRAMES
            self._tell()

    def _timeline(self, frame: int) -> Timeline:
        estimate, delay_us = self.estimate, self.output_delay_ms * 1000
        begin = estimate.server_us(self._sink.emitted_us(frame)) + delay_us
        end = estimate.server_us(self._sink.emitted_us(frame + BLOCK_FRAMES)) + delay_us
        return Timeline(frame, begin, (end - begin) / BLOCK_FRAMES)

    def _look(self, frame: int) -> None:
        voice = self._mixer.sounding()
        music = self._programme.now_playing if self._mixer.music_audible else NOTHING
        playing = music if voice is None else NowPlaying(voice.clip.kind, voice.clip.key, voice.position_ms())
        self.state = OutputState(playing, self._sink.underruns + self._programme.starved_blocks)
        segment = self._programme.now_playing
        if segment.id != self._segment:
            self._segment = segment.id
            if segment.id:
                self._post(frame, SegmentStarted(segment.id, frame, segment.position_ms))

    def _listen(self, frame: int) -> None:
        delay_us = self.output_delay_ms * 1000
        begin_us = self._sink.emitted_us(frame) + delay_us
        end_us = self._sink.emitted_us(frame + BLOCK_FRAMES) + delay_us
        sounding = self._programme.sounding.values() if self._mixer.music_heard else ()
        for heard in self._ears.block(sounding, begin_us, end_us, BLOCK_FRAMES):
            self._notify(heard)

    def _post(self, frame: int, note: Note) -> None:
        heapq.heappush(self._later, (self._sink.emitted_us(frame), next(self._order), note))

    def _tell(self) -> None:
        now = self._clock.monotonic_us()
        while self._later and self._later[0][0] <= now:
            self._notify(heapq.heappop(self._later)[2])

    def _fail(self, error: SinkError) -> None:
        lost = tuple(voice.clip.key for voice in self._mixer.voices)
        self._mixer.voices = []
        self._later = [each for each in self._later if isinstance(each[2], ClipEnded)]
        for heard in self._ears.stop():
            self._notify(heard)
        self._notify(OutputFailed(str(error), lost))
        self._sink.close()
        while not self._stopping.wait(REOPEN_S):
            try:
                self._sink.start()
            except SinkError as again:
                log.warning("%s", again)
            else:
                log.info("the output is open again")
                return
