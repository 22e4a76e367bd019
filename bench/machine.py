"""What the figures depend on: the machine, the versions and the settings of the server."""

import os
import platform
import re
from pathlib import Path

from bench.place import Place

_SETTINGS = (
    "shared_buffers", "work_mem", "maintenance_work_mem", "max_wal_size", "checkpoint_timeout", "wal_level",
    "fsync", "synchronous_commit", "full_page_writes", "autovacuum", "jit", "max_parallel_workers_per_gather",
)  # fmt: skip


def hardware() -> str:
    """Describe the processor, its cores and the memory."""
    return f"{_cpu()}, {os.cpu_count()} cores, {_memory()} GiB memory, {platform.system()}"


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists() and (found := re.search(r"model name\s*:\s*(.+)", info.read_text())):
        return found[1].strip()
    return platform.processor() or platform.machine()


def _memory() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30))


def versions(place: Place) -> str:
    """Name the versions of PostgreSQL and Python."""
    with place.root("postgres") as root:
        found = root.execute("SELECT current_setting('server_version')").fetchone()
    assert found is not None
    return f"PostgreSQL {found[0]}, Python {platform.python_version()}"


def settings(place: Place) -> str:
    """List the settings of the server that speed depends on."""
    with place.root("postgres") as root:
        found = root.execute(
            "SELECT name, current_setting(name) FROM unnest(%s::text[]) AS n (name)", (list(_SETTINGS),)
        ).fetchall()
    return ", ".join(f"{name} = {value}" for name, value in found)


def load() -> float:
    """Return the load average of the last minute: what else the machine was doing."""
    return os.getloadavg()[0]


def forget_peak() -> None:
    """Begin to look for this process's largest resident size anew (Linux only)."""
    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        clear.write_text("5")


def peak_mib() -> float:
    """Return this process's largest resident size so far, in MiB."""
    status = Path("/proc/self/status")
    if status.exists() and (found := re.search(r"VmHWM:\s*(\d+) kB", status.read_text())):
        return int(found[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
