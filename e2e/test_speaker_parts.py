"""The speaker's parts that need a browser, each alone: what they let sound, sample by sample, and what they remember.

Sound is rendered by an OfflineAudioContext, where a context time is a sample's number, whatever the machine does.
"""

from __future__ import annotations

import base64
import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page

from e2e import chromium

pytestmark = pytest.mark.system

WEB = Path(__file__).parents[1] / "web"
RATE = 48_000
START = """
    const RATE = 48000, T0 = 1.79e15;
    const times = { contextTime: (at) => (at - T0) / 1e6, instantAt: (s) => T0 + s * 1e6 };
    const level = (value, seconds) => {
        const buffer = new AudioBuffer({ length: seconds * RATE, sampleRate: RATE });
        buffer.getChannelData(0).fill(value);
        return buffer;
    };
    const rendered = async (context) => {
        const bytes = new Uint8Array((await context.startRendering()).getChannelData(0).buffer);
        let text = "";
        for (let n = 0; n < bytes.length; n += 32768) text += String.fromCharCode(...bytes.subarray(n, n + 32768));
        return btoa(text);
    };
"""


class Files(SimpleHTTPRequestHandler):
    """The modules as they stand."""

    def log_message(self, *words: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    served = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=str(WEB)))
    threading.Thread(target=served.serve_forever, daemon=True).start()
    with (
        chromium.playwright() as running,
        chromium.profile(running, tmp_path_factory.mktemp("profile")) as browser,
    ):
        opened = browser.new_page()
        opened.goto(f"http://127.0.0.1:{served.server_port}/speaker/")
        yield opened
    served.shutdown()


def run(page: Page, script: str) -> Any:
    """What a script of modules answers."""
    return page.evaluate(f"async () => {{ {START} {script} }}")


def heard_of(page: Page, script: str) -> NDArray[np.float32]:
    """The samples that a script renders."""
    return np.frombuffer(base64.b64decode(run(page, script)), dtype="<f4")


def at(samples: NDArray[np.float32], seconds: float) -> float:
    """The sample that is heard then."""
    return round(float(samples[round(seconds * RATE)]), 3)


CLIP = """
    const { Announcer } = await import("/speaker/sound/announcer.js");
    const context = new OfflineAudioContext(2, 6 * RATE, RATE);
    const announcer = new Announcer(context, context.destination, times);
    const music = new ConstantSourceNode(context, { offset: 1 });
    music.connect(announcer.music);
    music.start();
    const clip = { key: "a", kind: "announcement", buffer: level(0.5, 1), start_at: T0 + 2.25e6, offset_ms: 0,
                   volume: 100, gain_db: 0, duck_db: -20, emergency: false };
"""


def test_words_begin_with_their_sample_and_the_music_steps_back(page: Page) -> None:
    heard = heard_of(page, CLIP + "announcer.start(clip, T0); return rendered(context);")
    assert np.flatnonzero(np.diff(heard) > 0.3)[0] + 1 == 2.25 * RATE
    assert [at(heard, s) for s in (1.7, 2.0, 2.5, 3.2499, 4.0)] == [1.0, 0.55, 0.6, 0.6, 0.55]


def test_words_that_are_joined_end_where_the_others_end(page: Page) -> None:
    heard = heard_of(
        page,
        CLIP
        + "announcer.start({ ...clip, start_at: T0 + 3e6, offset_ms: 600 }, T0); return rendered(context);",
    )
    assert (at(heard, 3.2), at(heard, 3.3999), at(heard, 3.4001)) == (0.6, 0.6, 0.1)


def test_words_that_come_too_late_to_the_output_enter_where_they_should_be(page: Page) -> None:
    late = "context.suspend(3).then(() => { announcer.start(clip, T0 + 3e6); context.resume(); });"
    heard = heard_of(page, f"{CLIP} {late} return rendered(context);")
    # The music has not stepped back in time and does so at once; the words end where they end on other speakers.
    assert (at(heard, 2.99), at(heard, 3.2), at(heard, 3.251)) == (1.0, 0.6, 0.101)


def test_what_is_taken_back_is_silent(page: Page) -> None:
    heard = heard_of(
        page, CLIP + 'announcer.start(clip, T0); announcer.disarm("a", T0); return rendered(context);'
    )
    assert np.allclose(heard, 1.0)


def test_what_is_faded_out_is_silent_in_time(page: Page) -> None:
    fade = (
        'announcer.start(clip, T0); announcer.fadeOut("a", T0 + 2.75e6, 250, T0); return rendered(context);'
    )
    heard = heard_of(page, CLIP + fade)
    assert (at(heard, 2.4999), at(heard, 2.625), at(heard, 2.751)) == (0.6, 0.35, 0.101)


def test_mute_reaches_words_that_sound_but_no_emergency(page: Page) -> None:
    both = """
        announcer.start(clip, T0);
        announcer.start({ ...clip, key: "e", buffer: level(0.25, 1), emergency: true }, T0);
        context.suspend(2.5).then(() => { announcer.muted = true; context.resume(); });
        return rendered(context);
    """
    heard = heard_of(page, CLIP + both)
    assert (at(heard, 2.4), at(heard, 3.0)) == (0.85, 0.35)


MUSIC = """
    const { Music } = await import("/speaker/sound/music.js");
    const { parse } = await import("/speaker/rules/plan.js");
    const context = new OfflineAudioContext(2, 12 * RATE, RATE);
    const open = async (sha256) => level(sha256 === "a" ? 0.25 : 0.5, 9);
    const music = new Music(context, context.destination, times, open);
    music.levels = { volume: 100, muted: false, musicOff: false, silenced: false };
    const segment = (id, from, to, more) =>
        ({ id, kind: "music", sha256: id, start_at: T0 + from * 1e6, end_at: T0 + to * 1e6, music_id: 1, ...more });
    const asset = (sha256) => ({ sha256, bytes: 1, mime: "audio/wav", duration_ms: 9000, gain_db: 0 });
    const play = (programme, silences = []) => {
        music.setPlan(parse({ version: 1, device_id: "d", valid_from: T0, valid_until: T0 + 1e9, timezone: "UTC",
            desired: { rev: 1, volume: 100 }, assets: [asset("a"), asset("b")], programme, silences }), T0);
        music.look(T0);
        for (let n = 1; n < 110; n++) {
            context.suspend(n / 10).then(() => { music.look(T0 + n * 1e5); context.resume(); });
        }
        return rendered(context);
    };
"""


def test_tracks_that_meet_are_gapless(page: Page) -> None:
    """The first is nine seconds long and ends with its last sample."""
    heard = heard_of(page, MUSIC + 'return play([segment("a", -4, 5), segment("b", 5, 10)]);')
    assert np.allclose(heard[1 * RATE : 5 * RATE], 0.25)
    assert np.allclose(heard[5 * RATE : 9 * RATE], 0.5)


def test_a_crossfade_is_even_in_power(page: Page) -> None:
    programme = 'segment("a", 0, 6, { fade_out_ms: 2000 }), segment("b", 4, 10, { fade_in_ms: 2000 })'
    heard = heard_of(page, MUSIC + f"return play([{programme}]);")
    assert at(heard, 5) == pytest.approx((0.25 + 0.5) * 0.5**0.5, abs=0.005)
    assert (at(heard, 3.9), at(heard, 6.1)) == (0.25, 0.5)


def test_music_comes_and_goes_over_a_second_at_a_silence(page: Page) -> None:
    silence = '{ start_at: T0 + 5e6, end_at: T0 + 7e6, reason: "quiet_hours" }'
    heard = heard_of(page, MUSIC + f'return play([segment("a", 0, 9)], [{silence}]);')
    assert (at(heard, 3.9), at(heard, 5.15), at(heard, 6.9), at(heard, 8.3)) == (0.25, 0.0, 0.0, 0.25)
    assert 0.1 < at(heard, 4.6) < 0.24


def test_a_track_that_is_entered_late_is_entered_at_its_place(page: Page) -> None:
    ramp = """
        const rising = new AudioBuffer({ length: 9 * RATE, sampleRate: RATE });
        rising.getChannelData(0).forEach((_, n, all) => { all[n] = n / all.length; });
        const late = new Music(context, context.destination, times, async () => rising);
        late.levels = { volume: 100, muted: false, musicOff: false, silenced: false };
        Object.assign(music, { setPlan: late.setPlan.bind(late), look: late.look.bind(late) });
        return play([segment("a", -3, 6)]);
    """
    heard = heard_of(page, MUSIC + ramp)
    assert at(heard, 2) == pytest.approx(5 / 9, abs=0.001)


def test_the_journal_keeps_its_word_over_a_closing(page: Page) -> None:
    script = """
        const { Database } = await import("/speaker/database.js");
        const { Journal, KEEP_US } = await import("/speaker/journal.js");
        const receipt = (event_id, outcome) => ({ type: "playback_complete", event_id, outcome });
        let database = await Database.open("journal"), journal = new Journal(database);
        const begun = [];
        for (const id of ["x", "x", "y"]) begun.push(await journal.begin(receipt(id, "unknown_after_crash"), 1));
        await journal.finish(receipt("x", "played"), 5);
        await journal.finish(receipt("x", "partial"), 6);
        database = await Database.open("journal");
        journal = new Journal(database);
        const owed = async () => (await journal.owed()).map((each) => `${each.event_id} ${each.outcome}`);
        const left = await journal.recover(7);
        const before = await owed();
        await journal.acknowledge(["x", "y", "nobody"]);
        const after = await owed();
        await journal.receiptAgain("x");
        const again = [await owed(), await journal.receiptAgain("nobody"), await journal.owedCount()];
        await journal.prune(KEEP_US + 8);
        return { begun, left, before, after, again, known: [...(await journal.known())] };
    """
    assert run(page, script) == {
        "begun": [True, False, True],
        "left": ["y"],
        "before": ["x played", "y unknown_after_crash"],
        "after": [],
        "again": [["x played"], None, 1],
        "known": ["x"],
    }


def test_music_is_reported_when_it_is_over_and_dated(page: Page) -> None:
    script = """
        const { Database } = await import("/speaker/database.js");
        const { Journal } = await import("/speaker/journal.js");
        const journal = new Journal(await Database.open("music"));
        const keep = (n, over, dated) => journal.keepMusic(
            { report_id: `m${n}`, started_at: 10 * n, ended_at: 10 * n + 5 }, { over, dated, began_us: n });
        const owed = async () => (await journal.owedMusic(9)).map(Object.values);
        await keep(1, true, true); await keep(2, false, true); await keep(3, true, false);
        const first = await owed();
        await journal.dateMusic((began) => 1000 + began);
        const dated = await owed();
        await journal.recoverMusic();
        const recovered = await owed();
        await journal.acknowledgeMusic(["m1", "m2"]);
        return [first, dated, recovered, await owed()];
    """
    assert run(page, script) == [
        [["m1", 10, 15]],
        [["m1", 10, 15], ["m3", 1003, 1008]],
        [["m1", 10, 15], ["m2", 20, 25], ["m3", 1003, 1008]],
        [["m3", 1003, 1008]],
    ]


def test_a_long_track_plays_at_its_place_without_being_decoded_as_a_whole(page: Page) -> None:
    script = """
        const { StreamHead } = await import("/speaker/sound/streamhead.js");
        const context = new AudioContext();
        await context.resume();
        const data = new Int16Array(20 * RATE).fill(8192);
        const head = new DataView(new ArrayBuffer(44));
        const size = data.byteLength;
        const words = ["RIFF", 36 + size, "WAVE", "fmt ", 16, [1, 1], RATE, 2 * RATE, [2, 16], "data", size];
        words.forEach((word, n) => {
            if (typeof word === "string") [...word].forEach((each, k) => head.setUint8(4 * n + k, each.charCodeAt(0)));
            else if (Array.isArray(word)) word.forEach((each, k) => head.setUint16(4 * n + 2 * k, each, true));
            else head.setUint32(4 * n, word, true);
        });
        const ears = new AnalyserNode(context);
        const begins = context.currentTime + 0.5;
        const track = new StreamHead(context, new Blob([head, data], { type: "audio/wav" }), ears, begins, 5);
        const wanted = () => 5 + context.currentTime - begins;
        const heard = new Float32Array(ears.fftSize);
        let off = Infinity;
        for (let n = 0; n < 60 && Math.abs(off) > 0.1; n++) {
            await new Promise((resolve) => setTimeout(resolve, 250));
            track.steer(wanted());
            ears.getFloatTimeDomainData(heard);
            if (heard[0] !== 0) off = track.position(context.currentTime) - wanted();
        }
        track.drop();
        return [off, heard[0]];
    """
    off, level = run(page, script)
    assert abs(off) < 0.1
    assert level == pytest.approx(0.25, abs=0.01)
