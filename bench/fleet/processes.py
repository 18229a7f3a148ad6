"""What the kernel says of a process and its children: CPU time and memory."""

from __future__ import annotations

from pathlib import Path


def family(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def cpu_s(pid: int) -> float:
    """CPU seconds that the process and its children have had, all threads that live."""
    return (
        sum(
            int((task / "schedstat").read_text().split()[0])
            for each in family(pid)
            for task in Path(f"/proc/{each}/task").iterdir()
        )
        / 1e9
    )


def memory_kb(pid: int) -> int:
    """Memory that is the processes' own, shared pages counted in part (Pss), kB."""
    return sum(
        int(line.split()[1])
        for each in family(pid)
        for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        if line.startswith("Pss:")
    )
