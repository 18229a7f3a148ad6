"""What a person asks of this one speaker: `control` and `test_tone`.

`pause` and `stop` silence the music of this speaker alone; its timeline runs on, so `play` comes back in step with
the others. A pause ends with a restart, a stop outlasts it. `next` is refused: the programme belongs to the floor.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING

from sync2gear_player.messages import CommandResult, Control, TestTone
from sync2gear_player.mixer.tones import identify, sine
from sync2gear_player.mixer.voices import Clip, ClipStarted, Pcm
from sync2gear_player.output import Note, OutputFailed

if TYPE_CHECKING:
    from sync2gear_player.device import Device

TONE_AFTER_US = 300_000
REMEMBERED = 256
RESTART_AFTER_S = 0.2
"""Time for the result to leave before the socket is closed."""

log = logging.getLogger(__name__)


class Commands:
    """Carries them out once each, and answers."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._seen: deque[str] = deque(maxlen=REMEMBERED)
        self._tones: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, command: Control | TestTone) -> None:
        """Begins a command; one that was seen before is not done again."""
        if command.command_id in self._seen:
            return
        self._seen.append(command.command_id)
        log.info("command: %s", command)
        if isinstance(command, TestTone):
            self._tone(command.command_id, sine(command.hz, command.ms))
        elif command.expires_at <= self._device.time.now():
            self._answer(command.command_id, "expired")
        else:
            self._control(command)

    def hear(self, note: Note) -> None:
        """A tone is answered when it has begun to sound."""
        match note:
            case ClipStarted(clip=Clip(kind="tone", key=key)) if key in self._tones:
                self._tones.discard(key)
                self._answer(key)
            case OutputFailed(why=why, lost=lost):
                for key in self._tones.intersection(lost):
                    self._tones.discard(key)
                    self._answer(key, why)

    def _control(self, command: Control) -> None:
        device, key = self._device, command.command_id
        match command.action:
            case "play":
                device.paused = False
                device.set_stopped(stopped=False)
            case "pause":
                device.paused = True
                device.apply_levels()
            case "stop":
                device.set_stopped(stopped=True)
            case "next":
                self._answer(key, "the programme is shared by the speakers of the floor: skip it there")
                return
            case "identify":
                self._tone(key, identify())
                return
            case "refetch":
                task = asyncio.create_task(self._refetch(key))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                return
            case "restart":
                asyncio.get_running_loop().call_later(RESTART_AFTER_S, device.restart_wanted.set)
        self._answer(key)

    def _tone(self, key: str, pcm: Pcm) -> None:
        if self._device.kept.muted:
            self._answer(key, "the speaker is muted")
            return
        self._tones.add(key)
        start_at = self._device.time.now() + TONE_AFTER_US
        clip = Clip(
            key=key, kind="tone", pcm=pcm, start_at=start_at, volume=max(30, self._device.kept.volume)
        )
        self._device.output.submit(lambda mixer, _: mixer.add(clip))

    async def _refetch(self, key: str) -> None:
        self._answer(key, await self._device.plans.refetch())

    def _answer(self, command_id: str, error: str = "") -> None:
        self._device.link.say(CommandResult(command_id=command_id, ok=not error, error=error), urgent=True)
