"""The papers around the code: dependencies, settings and links say what is true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SERVER = PROJECT["project"]["dependencies"]
GROUPS = PROJECT["dependency-groups"]

Pins = dict[str, set[tuple[str, frozenset[str]]]]


def pins(path: Path) -> Pins:
    """Of each package in a lock: its versions (there may be one for each Python), each with its hashes."""
    found: Pins = {}
    for entry in re.split(r"\n(?=\S)", path.read_text()):
        if pinned := re.match(r"([A-Za-z0-9._-]+)==(\S+)", entry):
            hashes = frozenset(re.findall(r"sha256:[0-9a-f]{64}", entry))
            found.setdefault(canonicalize_name(pinned[1]), set()).add((pinned[2], hashes))
    return found


LOCK = pins(ROOT / "requirements.lock")
SERVER_LOCK = pins(ROOT / "backend" / "requirements.txt")


@pytest.mark.parametrize(
    ("wanted", "lock"),
    [
        *((line, SERVER_LOCK) for line in SERVER),
        *((line, LOCK) for group in GROUPS.values() for line in group),
    ],
)
def test_the_lock_satisfies_each_dependency(wanted: str, lock: Pins) -> None:
    requirement = Requirement(wanted)
    pinned = lock[canonicalize_name(requirement.name)]
    assert all(requirement.specifier.contains(version) for version, _ in pinned), "make lock"


def test_everything_is_pinned_with_hashes_and_the_server_s_share_is_the_same() -> None:
    assert all(hashes for entries in LOCK.values() for _, hashes in entries)
    assert {name: LOCK.get(name) for name in SERVER_LOCK} == SERVER_LOCK
    assert len(SERVER_LOCK) < len(LOCK)


def test_the_locks_name_no_package_index() -> None:
    for path in (ROOT / "requirements.lock", ROOT / "backend" / "requirements.txt"):
        assert not re.search(r"https?://|^--", path.read_text(), re.MULTILINE)


def test_each_dependency_has_its_line_and_each_line_its_dependency() -> None:
    sections = dict(re.findall(r"^## (.+?)\n(.+?)(?=^## |\Z)", dependencies_page(), re.MULTILINE | re.DOTALL))
    for title, wanted in (
        ("The server", SERVER),
        ("The speaker", GROUPS["player"]),
        ("Development", GROUPS["dev"]),
    ):
        told = re.findall(r"^\| ([\w.-]+) \|", sections[title], re.MULTILINE)
        assert sorted(told[1:]) == sorted(Requirement(line).name for line in wanted), title


def dependencies_page() -> str:
    return (ROOT / "docs" / "dependencies.md").read_text()


def test_the_speaker_s_own_project_asks_for_the_same() -> None:
    player = tomllib.loads((ROOT / "player" / "pyproject.toml").read_text())["project"]
    alone = [*player["dependencies"], *player["optional-dependencies"]["sound"]]
    assert sorted(alone) == sorted(GROUPS["player"])


def settings_read() -> set[str]:
    """The variables that the source reads, by their names there."""
    source = (ROOT / "backend" / "common" / "environment.py").read_text()
    return set(re.findall(r"get\(\s*\"([A-Z0-9_]+)\"", source))


def test_every_setting_is_in_the_readme_and_the_example() -> None:
    table = (ROOT / "README.md").read_text().partition("### Settings")[2].partition("## More")[0]
    rows = re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`([A-Z0-9_]+)`", row)} | {"REDIS_HOST"}
    assert len(settings_read()) > 30
    assert told == settings_read()
    example = set(re.findall(r"^#([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert example == settings_read()


PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "player" / "README.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    broken = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert not broken


def test_every_target_of_the_makefile_is_listed() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == set(re.findall(r"^([a-z0-9]+):.*## ", makefile, re.MULTILINE))


def test_a_new_encryption_key_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("new_encryption_key")
    Fernet(capsys.readouterr().out.strip())
