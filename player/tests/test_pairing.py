"""How a speaker gets its identity, against every answer that a server can give; and the options."""

from __future__ import annotations

import json

import pytest

from sync2gear_player import cli
from sync2gear_player.network import Answer, NetworkError
from sync2gear_player.pairing import PairingError, identify, pair
from sync2gear_player.sinks.base import NullSink
from sync2gear_player.sinks.card import CardSink
from sync2gear_player.sinks.file import FileSink

CODE = {
    "device_code": "secret",
    "user_code": "BCDFGHJK",
    "verification_uri": "http://s/claim",
    "expires_in": 600,
    "interval": 5,
}
CLAIMED = {"id": 5, "device_id": "lobby", "token": "t", "ws_path": "/ws/devices/lobby/", "plan_url": "/p"}


def answer(status, body=None, **headers):
    return Answer(status, headers, json.dumps(body or {}).encode())


class Script:
    """A network that answers by a list."""

    def __init__(self, *answers):
        self.answers, self.asked, self.slept = list(answers), [], []

    async def request(self, method, url, *, token="", json=None, etag=""):
        self.asked.append((method, url, token, json))
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    async def sleep(self, seconds):
        self.slept.append(seconds)


def problem(code, status=400):
    return answer(status, {"code": code, "detail": f"It is {code}."})


async def run(*answers):
    script, shown = Script(*answers), []
    identity = await pair(
        script, "http://s", hardware_id="spk-1", name="Lobby", show=shown.append, sleep=script.sleep
    )
    return identity, script, shown


async def test_a_code_is_shown_and_asked_for_until_somebody_entered_it():
    identity, script, shown = await run(
        answer(201, CODE), problem("authorization_pending"), problem("slow_down"), answer(200, CLAIMED)
    )
    assert (identity.device_id, identity.token, identity.server) == ("lobby", "t", "http://s")
    assert script.asked[0][1:] == (
        "http://s/api/devices/pair/",
        "",
        {"hardware_id": "spk-1", "name": "Lobby", "software": "sync2gear-player/0.1.0"},
    )
    assert script.asked[1][1:] == ("http://s/api/devices/pair/token/", "", {"device_code": "secret"})
    assert script.slept == [5, 5, 10], "slow_down adds five seconds for good"
    assert [invitation.user_code for invitation in shown] == ["BCDFGHJK"]


async def test_trouble_on_the_way_is_waited_out_and_an_expired_code_renewed():
    identity, script, shown = await run(
        NetworkError("down"),
        answer(503),
        problem("rate_limited", 429),
        answer(201, CODE),
        NetworkError("down"),
        problem("rate_limited", 429),
        problem("expired_token"),
        answer(201, CODE | {"user_code": "KJHGFDCB"}),
        answer(200, CLAIMED),
    )
    assert identity.token == "t"
    assert [invitation.user_code for invitation in shown] == ["BCDFGHJK", "KJHGFDCB"]
    assert not script.answers


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ([answer(201, CODE), problem("access_denied")], "refused this speaker"),
        ([answer(201, CODE), problem("other")], "It is other."),
        ([problem("validation_failed")], "does not pair this speaker: It is validation_failed."),
        ([answer(404)], "it answered 404"),
        ([answer(201, {"hello": 1})], "is this a sync2gear server"),
    ],
)
async def test_what_ends_a_pairing(answers, sentence):
    with pytest.raises(PairingError, match=sentence):
        await run(*answers)


async def test_a_token_tells_who_it_is():
    script = Script(NetworkError("down"), answer(502), answer(200, {**CLAIMED, "token": "hidden"}))
    identity = await identify(script, "http://s", "mine", script.sleep)
    assert (identity.device_id, identity.token) == ("lobby", "mine")
    assert script.asked[0] == ("GET", "http://s/api/devices/self/", "mine", None)
    with pytest.raises(PairingError, match="does not accept the token: It is authentication_failed"):
        await identify(Script(problem("authentication_failed", 401)), "http://s", "bad", script.sleep)


@pytest.mark.parametrize(
    ("typed", "origin"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("https://Shop.example/some/path/", "https://shop.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_servers_address(typed, origin):
    assert cli.origin(typed) == origin


@pytest.mark.parametrize("typed", ["ftp://s", "http://", "http://s:99999", "http://s:port"])
def test_an_address_that_is_none(typed):
    with pytest.raises(cli.UsageError, match="is not an address like"):
        cli.origin(typed)


def test_outputs(monkeypatch, tmp_path):
    monkeypatch.setattr(CardSink, "problem", staticmethod(lambda: "no card"))
    assert type(cli.make_sink("auto", None)) is NullSink
    with pytest.raises(cli.UsageError, match="There is no card for --output card: no card"):
        cli.make_sink("card", None)
    monkeypatch.setattr(CardSink, "problem", staticmethod(lambda: None))
    assert type(cli.make_sink("auto", None)) is CardSink
    assert type(cli.make_sink("null", None)) is NullSink
    assert cli.make_sink("file:/a/b.wav", None).path.name == "b.wav"
    assert isinstance(cli.make_sink("file:b.wav", None), FileSink)
    with pytest.raises(cli.UsageError, match="is none of"):
        cli.make_sink("file:", None)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--state", "{tmp}/s"], "does not know its server yet: give it with --server"),
        (["--state", "{tmp}/s", "--server", "x:y"], "is not an address"),
        (["--state", "{tmp}/s", "--output", "loud"], "is none of auto"),
        (
            ["--state", "{tmp}/s", "--server", "s", "--token-file", "{tmp}/gone"],
            "cannot be read: No such file",
        ),
        (["--state", "/proc/s", "--server", "s"], "cannot be used"),
    ],
)
def test_mistakes_are_said_in_one_sentence(tmp_path, capsys, monkeypatch, arguments, sentence):
    monkeypatch.delenv("SYNC2GEAR_TOKEN", raising=False)
    code = cli.main([argument.replace("{tmp}", str(tmp_path)) for argument in arguments])
    said = capsys.readouterr().err.splitlines()
    assert code in (1, 2)
    assert sentence in said[-1]
    assert not [line for line in said if "Traceback" in line]
