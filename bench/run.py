"""Runs the benches: every other file of this folder, or those named, one after the other.

A bench is a program of its own. It prints one line of JSON with at least `bench`, its name, and then a table for
people. The lines are kept in `bench/results/`, one file for each bench, so that two states can be compared.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"


def benches() -> dict[str, Path]:
    """Every bench by its name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.py")) if path.name != Path(__file__).name}


def run(name: str, program: Path) -> bool:
    """Runs one bench, passes on what it prints, keeps its line of JSON; returns whether it succeeded."""
    done = subprocess.run([sys.executable, str(program)], stdout=subprocess.PIPE, text=True, check=False)
    sys.stdout.write(done.stdout)
    sys.stdout.flush()
    line = next((line for line in done.stdout.splitlines() if line.startswith("{")), None)
    if done.returncode or line is None or json.loads(line).get("bench") != name:
        print(f"The bench {name} failed (status {done.returncode}).", file=sys.stderr)
        return False
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(line + "\n")
    return True


def main() -> int:
    """Runs what the command line names; the exit status is 0 if every bench succeeded."""
    known = benches()
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("names", nargs="*", help=f"which benches; all if none is named ({', '.join(known)})")
    names = options.parse_args().names or list(known)
    if unknown := [name for name in names if name not in known]:
        options.error(f"There is no bench {', '.join(unknown)}; there are {', '.join(known)}.")
    return 0 if all([run(name, known[name]) for name in names]) else 1


if __name__ == "__main__":
    sys.exit(main())
