"""Decoding and the sinks: what comes in, what goes out, and what its time was."""

from __future__ import annotations

import json
import threading
import time
import wave

import av
import numpy as np
import pytest

from sync2gear_player import decode
from sync2gear_player.clock import LabClock, RealClock
from sync2gear_player.decode import DecodeError, StreamSource, decode_clip, frames_of
from sync2gear_player.mixer import RATE, US_PER_FRAME
from sync2gear_player.sinks.base import NullSink, SinkError
from sync2gear_player.sinks.card import FrameClock
from sync2gear_player.sinks.file import FileSink, read_capture


def encode(path, samples, *, codec, rate=RATE, layout="stereo"):
    """A mono float array as a file of any kind."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.layout = layout
        if codec not in ("pcm_s16le", "flac"):
            stream.bit_rate = 192_000
        pcm = (samples * 32767).astype(np.int16)
        if layout == "stereo":
            pcm = np.repeat(pcm, 2)
        frame = av.AudioFrame.from_ndarray(pcm[None, :], format="s16", layout=layout)
        frame.sample_rate, frame.pts = rate, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def chirp(seconds, rate=RATE):
    t = np.arange(round(seconds * rate)) / rate
    return 0.4 * np.sin(2 * np.pi * (200 + 400 * t) * t)


def lag(heard, reference) -> int:
    """Frames by which `heard` is behind, by cross-correlation."""
    size = 1 << int(np.ceil(np.log2(len(heard) + len(reference))))
    found = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(reference, size)))
    at = int(np.argmax(found))
    return at - size if at > size // 2 else at


@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize(
    ("ending", "codec", "exact"),
    [("wav", "pcm_s16le", True), ("flac", "flac", True), ("mp3", "libmp3lame", True), ("m4a", "aac", False)],
)
def test_every_format_begins_on_its_first_frame_and_mp3_is_gapless(tmp_path, rate, ending, codec, exact):
    path = encode(tmp_path / f"a.{ending}", chirp(2.0, rate), codec=codec, rate=rate)
    heard = decode_clip(path)[:, 0] / 32768
    assert lag(heard, chirp(2.0)) == 0
    if exact:
        assert len(heard) == 2 * RATE


def test_opus(tmp_path):
    heard = decode_clip(encode(tmp_path / "a.opus", chirp(2.0), codec="libopus"))[:, 0] / 32768
    assert (lag(heard, chirp(2.0)), len(heard)) == (0, 2 * RATE)


def test_mono_sounds_on_both_sides_at_its_own_level(tmp_path):
    heard = decode_clip(encode(tmp_path / "a.wav", chirp(0.5), codec="pcm_s16le", layout="mono"))
    assert np.array_equal(heard[:, 0], heard[:, 1])
    assert np.abs(heard[:, 0] / 32767 - chirp(0.5)).max() < 2e-4


@pytest.mark.parametrize("content", [b"", b"not audio at all" * 100, b"RIFF\x00\x00\x00\x00WAVE"])
def test_what_is_not_audio(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(DecodeError):
        decode_clip(tmp_path / "x")


def test_an_endless_clip_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(decode, "LONGEST_CLIP_S", 1)
    with pytest.raises(DecodeError, match="longer than"):
        decode_clip(encode(tmp_path / "a.wav", chirp(1.1), codec="pcm_s16le"))


def wait_for(condition, seconds=5.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_a_stream_is_the_file_to_the_frame_though_it_holds_only_seconds_of_it(tmp_path):
    path = encode(tmp_path / "a.mp3", chirp(15.0, 44_100), codec="libmp3lame", rate=44_100)
    whole = np.concatenate(list(frames_of(path)))
    source, heard = StreamSource(path, 0), []
    for at in range(0, 15 * RATE, 4800):
        wait_for(lambda at=at: source.ready(at))
        heard.append(source.read(at, 4800))
    assert np.array_equal(np.concatenate(heard), whole)
    assert source.starved_frames == 0
    wait_for(lambda: source.ready(20 * RATE))
    assert not source.read(20 * RATE, 480).any()
    assert not source.reaches(RATE)


def test_a_stream_that_joins_late_passes_over_the_beginning(tmp_path):
    path = encode(tmp_path / "a.flac", chirp(20.0), codec="flac")
    source = StreamSource(path, 12 * RATE)
    assert not source.read(12 * RATE, 480).any() or source.starved_frames == 0
    wait_for(lambda: source.ready(12 * RATE))
    expected = chirp(20.0)[12 * RATE : 12 * RATE + 480]
    assert source.read(12 * RATE, 480)[:, 0] == pytest.approx(expected, abs=1e-4)


def test_closing_a_stream_ends_its_thread(tmp_path):
    source = StreamSource(encode(tmp_path / "closing.wav", chirp(20.0), codec="pcm_s16le"), 0)
    wait_for(lambda: source.ready(0))
    assert [each for each in threading.enumerate() if each.name == "decode closing."]
    source.close()
    wait_for(lambda: not [each for each in threading.enumerate() if each.name == "decode closing."])


# --- sinks ---


class Bench:
    """A clock that a test sets."""

    boot_id, rate = "b", 1.0

    def __init__(self):
        self.at = 5_000_000

    def monotonic_us(self):
        return self.at

    def wall_us(self):
        return self.at

    def true_us(self, monotonic_us):
        return 1e15 + monotonic_us


def block(value=0.5):
    return np.full((480, 2), value, dtype=np.float32)


def test_frames_have_nominal_instants_and_late_blocks_are_counted_not_shifted():
    clock = Bench()
    sink = NullSink(clock, buffer_ms=80)
    sink.start()
    assert sink.emitted_us(0) == 5_080_000
    sink.write(0, block())
    clock.at = 5_200_000
    assert sink.wait(480)
    sink.write(480, block())
    assert sink.underruns == 1
    assert sink.emitted_us(48_000) == 6_080_000
    sink.stop()
    assert not sink.wait(960)


def test_a_capture_can_be_read_while_it_grows_and_after_its_writer_was_killed(tmp_path):
    sink = FileSink(Bench(), tmp_path / "out.wav")
    sink.start()
    for n in range(150):
        sink.write(n * 480, block(n / 300))
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, RATE, 2)
        assert file.getnframes() == RATE, "the header of a second ago, and never too long"
    frames, truth = read_capture(tmp_path / "out.wav")
    assert len(frames) == 150 * 480, "what is behind the header's end is not lost"
    assert truth["first_sample_true_us"] == 1e15 + 5_080_000
    sink.close()
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert file.getnframes() == 150 * 480


def test_an_earlier_capture_is_kept(tmp_path):
    for n in range(3):
        sink = FileSink(Bench(), tmp_path / "out.wav")
        sink.start()
        sink.write(0, block(n / 10))
        sink.record("events", {"key": "e", "n": n})
        sink.record("events", {"key": "e", "outcome": "played"})
        sink.close()
    assert [read_capture(tmp_path / name)[1]["events"] for name in ("out.1.wav", "out.2.wav", "out.wav")] == [
        [{"key": "e", "n": n, "outcome": "played"}] for n in range(3)
    ]


def test_the_truth_of_a_skewed_speaker(tmp_path):
    real = RealClock()
    clock = LabClock(real, offset_s=-400, ppm=200)
    sink = FileSink(clock, tmp_path / "out.wav", buffer_ms=20)
    begin = real.true_us(real.monotonic_us())
    sink.start()
    opened = real.true_us(real.monotonic_us())
    for n in range(20):
        assert sink.wait(n * 480)
        sink.write(n * 480, block())
    took = real.true_us(real.monotonic_us()) - begin
    sink.close()
    truth = json.loads((tmp_path / "out.wav.json").read_bytes())
    assert begin + 19_990 <= truth["first_sample_true_us"] <= opened + 20_010
    assert truth["rate"] == pytest.approx(RATE * 1.0002)
    assert took >= 190_000, "paced in real time"
    assert clock.true_us(sink.emitted_us(48_000)) - truth["first_sample_true_us"] == pytest.approx(
        48_000 / truth["rate"] * 1e6, abs=0.5
    )


def test_a_folder_that_is_not_there_is_said_in_a_sentence(tmp_path):
    with pytest.raises(SinkError, match=r"cannot be written: No such file"):
        FileSink(Bench(), tmp_path / "gone" / "out.wav").start()


def test_the_cards_clock_is_smooth_and_follows_its_crystal():
    rng, clock = np.random.default_rng(1), FrameClock()
    us_per_frame = US_PER_FRAME * (1 + 80e-6)
    errors = []
    for n in range(3000):
        at = 1e6 + n * 960 * us_per_frame
        clock.callback(n * 960, at + rng.exponential(1500))
        errors.append(clock.at_us(n * 960) - at)
    settled = np.array(errors[1000:])
    assert settled.std() < 300, "a fifth of the callbacks' jitter"
    assert abs(settled.mean() - 1500) < 300
    assert clock.at_us(3_000_000) - clock.at_us(2_880_000) == pytest.approx(120_000 * us_per_frame, abs=120)


def test_the_cards_clock_begins_anew_after_a_suspension():
    clock = FrameClock()
    clock.callback(0, 0.0)
    clock.callback(960, 20_000.0)
    clock.callback(1920, 10_000_000.0)
    assert clock.at_us(1920) == 10_000_000.0
