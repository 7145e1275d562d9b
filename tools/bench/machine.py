"""What the measurements rest on: which machine this is, and what the kernel counted for a process."""

import os
import platform
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

TICKS: Final = os.sysconf("SC_CLK_TCK")
_CPUCLOCK_SCHED: Final = 2
_LOOK: Final = 0.05
_QUIET_SHARE: Final = 0.04
_MAX_SETTLE: Final = 3.0


def cores() -> tuple[int, int]:
    """Return the core of the server under test and the core of the load generator; the same if there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of all threads of a process, also of those that ended, to the nanosecond.

    This is the clock that `clock_getcpuclockid(pid)` names; /proc counts the same in hundredths.
    """
    return time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)


def cpu_seconds_with_children(pid: int) -> float:
    """As `cpu_seconds`, of the process and of all below it."""
    return cpu_seconds(pid) + sum(cpu_seconds_with_children(child) for child in _children(pid))


def resident_bytes(pid: int) -> int:
    """Return VmRSS of a process."""
    return parse_status(Path(f"/proc/{pid}/status").read_text())["VmRSS"] * 1024


def parse_status(text: str) -> Mapping[str, int]:
    """Return the sizes of a /proc/PID/status by name, in KiB."""
    fields = (line.split() for line in text.splitlines() if line.endswith(" kB"))
    return {name.rstrip(":"): int(size) for name, size, _ in fields}


def busy_seconds(text: str | None = None) -> float:
    """Return what all cores worked since the machine started, time stolen by other machines included; seconds."""
    line = (text or Path("/proc/stat").read_text()).splitlines()[0].split()
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, line[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS


def wait_until_quiet(pid: int) -> None:
    """Return when the process has done what it put off (batches, presence), so that this is counted too."""
    for _ in range(int(_MAX_SETTLE / _LOOK)):
        before = cpu_seconds(pid)
        time.sleep(_LOOK)
        if cpu_seconds(pid) - before < _QUIET_SHARE * _LOOK:
            return


def describe() -> dict[str, str]:
    """Return what a reader must know to compare numbers; no name of the machine."""
    model = _first(Path("/proc/cpuinfo"), "model name")
    memory = int(_first(Path("/proc/meminfo"), "MemTotal").split()[0]) // 2**20
    system = platform.freedesktop_os_release()
    return {
        "processor": f"{model}, {os.cpu_count()} cores",
        "memory": f"{memory} GiB",
        "system": f"{system.get('NAME', 'Linux')} {_debian_version() or system.get('VERSION_ID', '')}".strip(),
        "kernel": platform.release().split("-")[0],
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION.removeprefix("OpenSSL "),
    }


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def _first(path: Path, name: str) -> str:
    for line in path.read_text().splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return "unknown"


def _debian_version() -> str:
    file = Path("/etc/debian_version")
    return file.read_text().strip() if file.exists() else ""
