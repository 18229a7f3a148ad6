"""The pages and their files: what they load, where they lead, how large they are, and what a release is called."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

from core.static_files import StaticFilesStorage
from core.web_files import PARTS, files_of, first_load, folder_name, loaded_first
from core.web_pages import DASHBOARD_ADDRESSES, web_url
from users.links import INVITATION, PASSWORD_RESET

pytestmark = pytest.mark.django_db

PERSON = {"accept": "text/html,*/*"}
WEB: Path = settings.WEB_ROOT


@pytest.mark.parametrize("path", ["/", "/floors/3", "/devices", "/password-reset", "/nowhere"])
def test_a_page_loads_from_this_host_alone_and_nothing_inline(client: Client, path: str) -> None:
    answer = client.get(path, headers=PERSON)
    text = answer.content.decode()
    assert answer.status_code == (404 if path == "/nowhere" else 200)
    assert "script-src 'self';" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]
    loaded = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert web_url("dashboard/main.js") in loaded
    for address in loaded:
        assert finders.find(address.removeprefix("/static/")), address
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|style=|<style", text), "nothing inline"


def test_the_speaker_s_worker_keeps_all_that_its_page_needs(client: Client) -> None:
    answer = client.get("/speaker/sw.js")
    assert (answer["Cache-Control"], answer["Content-Type"]) == ("no-cache", "text/javascript; charset=utf-8")
    told = re.match(r"const RELEASE = (\{.*\});\n", answer.content.decode())
    assert told is not None
    release = json.loads(told[1])
    assert release["base"] == web_url("")
    page = client.get("/speaker/").content.decode()
    named = set(re.findall(r'"(/static/[^"]+\.(?:js|css))"', page))
    assert {web_url("speaker/speaker.js"), web_url("vendor/preact.js")} <= named | set(release["files"])
    assert named <= set(release["files"])
    for address in release["files"]:
        assert finders.find(address.removeprefix("/static/")), address


def test_the_links_of_mails_lead_here_and_tell_nobody(client: Client) -> None:
    for purpose in (INVITATION, PASSWORD_RESET):
        answer = client.get(purpose.path)
        assert (answer.status_code, answer["Referrer-Policy"]) == (200, "no-referrer")


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/nowhere", {}), ("/api/nowhere/", PERSON), ("/media/x", PERSON), ("/static/x.js", PERSON)],
)
def test_a_program_is_told_in_json_that_there_is_nothing(
    client: Client, path: str, headers: dict[str, str]
) -> None:
    answer = client.get(path, headers=headers)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_the_addresses_that_the_server_knows_are_the_dashboard_s_own() -> None:
    routes = (WEB / "dashboard" / "routes.js").read_text()
    first = {path.split("/")[1] for path in re.findall(r'path: "(/[^"]*)"', routes)}
    assert first == {"", *DASHBOARD_ADDRESSES}


def test_a_module_imports_only_what_is_there() -> None:
    served = set(files_of(WEB))
    for name in served:
        if name.endswith(".js"):
            assert set(loaded_first(WEB, name)) <= served, name


@pytest.mark.parametrize(("part", "largest"), [("dashboard", 150_000), ("speaker", 60_000)])
def test_the_first_load_is_small(part: str, largest: int) -> None:
    sizes = first_load(WEB, part)
    assert 1000 < sum(sizes.values()) < largest, sizes


# --- what a release is called ----------------------------------------------------------------------------


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """A front end of one module that imports another."""
    for part in PARTS:
        (tmp_path / "web" / part / "tests").mkdir(parents=True)
    (tmp_path / "web" / "speaker" / "main.js").write_text('import { a } from "../common/a.js";\n')
    (tmp_path / "web" / "common" / "a.js").write_text('import "./b.js";\nexport const a = 1;\n')
    (tmp_path / "web" / "common" / "b.js").write_text("export {};\n" * 200)
    return tmp_path / "web"


def test_another_content_is_another_folder(web: Path) -> None:
    before = folder_name(web, changing=False)
    (web / "common" / "tests" / "a.test.js").write_text("1")
    assert folder_name(web, changing=False) == before
    (web / "common" / "a.js").write_text("export const a = 2;\n")
    assert folder_name(web, changing=False) != before
    assert folder_name(web, changing=True) == "web"


def test_what_a_page_loads_first(web: Path) -> None:
    assert loaded_first(web, "speaker/main.js") == ("speaker/main.js", "common/a.js", "common/b.js")


def test_our_files_are_compressed_and_keep_their_names(web: Path, tmp_path: Path) -> None:
    storage: Any = StaticFilesStorage(location=tmp_path / "static", base_url="/static/")
    names = [f"{settings.WEB_FOLDER}/common/b.js", "package/style.css"]
    for name in names:
        (tmp_path / "static" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "static" / name).write_text("a { color: red }\n" * 100)
    list(storage.post_process({name: (storage, name) for name in names}))
    there = {path.name for path in (tmp_path / "static").rglob("*") if path.is_file()}
    assert {"b.js", "b.js.gz", "style.css", "staticfiles.json"} <= there
    assert not [name for name in there if re.fullmatch(r"b\.[0-9a-f]{12}\.js", name)]
    assert [name for name in there if re.fullmatch(r"style\.[0-9a-f]{12}\.css", name)]


def test_our_files_may_be_kept_for_ever(client: Client) -> None:
    answer = client.get(web_url("dashboard/main.js"))
    assert answer["Cache-Control"] == "max-age=315360000, public, immutable"
    assert answer["Content-Type"].startswith("text/javascript")
