"""The pages' own files: which release of them this is, where they are reached, and what a page loads first.

`web/` is served as it stands, modules that import each other by relative paths, below one folder of `/static/` that is
named after the content of them all. So every file may be kept for ever, and two releases never mix; nothing rewrites an
import. While DEBUG is on the folder has a plain name, and a browser asks again each time.
"""

from __future__ import annotations

import gzip
import hashlib
import posixpath
import re
from pathlib import Path

PARTS = ("common", "dashboard", "speaker", "vendor")
"""Folders of `web/` that are served; what else lies there is for developers."""

STATIC_IMPORT = re.compile(r"""(?:\bfrom|^import)\s*["'](\.[^"']+)["']""", re.MULTILINE)
"""A module's import of another, in code as its author or a minifier wrote it; `import()` is no such import."""


def folder_name(web: Path, *, changing: bool) -> str:
    """The folder of `/static/` for the files of `web`: `web-` and a digest of them, or `web` while they change."""
    if changing:
        return "web"
    digest = hashlib.sha256()
    for path in files_of(web):
        digest.update(f"{path}\0".encode() + hashlib.sha256((web / path).read_bytes()).digest())
    return f"web-{digest.hexdigest()[:12]}"


def files_of(web: Path, *parts: str) -> list[str]:
    """The served files of these parts (all without any), relative to `web`, in order; tests and types are no part."""
    found = (path for part in parts or PARTS for path in (web / part).rglob("*") if path.is_file())
    names = (path.relative_to(web) for path in found if not path.name.endswith((".d.ts", ".md")))
    return sorted(name.as_posix() for name in names if "tests" not in name.parts)


def loaded_first(web: Path, module: str) -> tuple[str, ...]:
    """The module and all that it imports, directly or through others, each once: what a page needs before it shows."""
    found: dict[str, None] = {}
    waiting = [module]
    while waiting:
        path = waiting.pop(0)
        if path in found:
            continue
        found[path] = None
        text = (web / path).read_text()
        for named in STATIC_IMPORT.findall(text):
            waiting.append(posixpath.normpath(posixpath.join(posixpath.dirname(path), named)))
    return tuple(found)


def first_load(web: Path, part: str) -> dict[str, int]:
    """Each module that the page of this part needs before it shows, and its size in bytes as it is sent: compressed."""
    modules = (*loaded_first(web, f"{part}/main.js"), "common/boot.js")
    return {name: len(gzip.compress((web / name).read_bytes())) for name in modules}


if __name__ == "__main__":
    root = Path(__file__).resolve().parents[2] / "web"
    for part in ("dashboard", "speaker"):
        if (root / part / "main.js").is_file():
            sizes = first_load(root, part)
            print(f"{part}: {sum(sizes.values()):,} bytes compressed in {len(sizes)} modules")  # noqa: T201  # a command
