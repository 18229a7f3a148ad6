"""What a started server says to the person who started it."""

from __future__ import annotations

from dataclasses import dataclass

from core.embedded.first_start import Account


@dataclass(frozen=True, slots=True)
class Facts:
    """What the welcome tells.

    `elsewhere` are the URLs for other machines of the network, `admin` a super admin made just now, `demo` the
    client admin of the demo business and the file that holds the password.
    """

    url: str
    docs_path: str
    elsewhere: tuple[str, ...] = ()
    admin: Account | None = None
    demo: tuple[str, str] | None = None


def text(facts: Facts) -> str:
    """The welcome: a few lines, each with what a newcomer needs next."""
    rows = [
        ("The dashboard", f"{facts.url}/"),
        ("The API, to read and try", facts.url + facts.docs_path),
    ]
    if facts.elsewhere:
        rows.append(("From other machines", "  ".join(facts.elsewhere)))
    if facts.admin:
        label = "Super admin" if facts.admin.chosen else "Super admin, shown once"
        password = "the one you chose" if facts.admin.chosen else facts.admin.password
        rows.append((label, f"{facts.admin.email}  password: {password}"))
    if facts.demo:
        email, file = facts.demo
        rows.append(("Demo business", f"{email}  password: in {file}"))
    lines = [f"sync2gear serves at {facts.url}", ""]
    lines += [f"  {label:<26}{value}" for label, value in rows]
    lines += ["", "Hear it: `make speaker` in a second terminal. Ctrl-C stops the server."]
    return "\n".join(lines)
