"""What the figures depend on: processor, memory, versions, and how busy the machine was.

Refuses host names, users and paths: results are published.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.subjects import ROOT

_PACKAGES = {
    "tensorflow": ("tensorflow-cpu", "tensorflow"),
    "litert": ("ai-edge-litert",),
    "numpy": ("numpy",),
    "pillow": ("Pillow",),
    "powertools": ("aws-lambda-powertools",),
    "requests": ("requests",),
}


def machine() -> dict[str, Any]:
    """CPU model, CPUs that may be used, memory."""
    return {
        "cpu": _first(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo")) or platform.machine(),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    """Python, the libraries that matter, and the revision of this project."""
    found = {"python": platform.python_version()}
    for name, distributions in _PACKAGES.items():
        for distribution in distributions:
            try:
                found[name] = metadata.version(distribution)
                break
            except metadata.PackageNotFoundError:
                continue
    return {**found, "git": revision()}


def revision() -> str:
    """The commit that is checked out, with a ``+`` where the measured code differs from it; empty without git."""
    head = _output("git", "rev-parse", "--short", "HEAD")
    return f"{head}+" if head and _output("git", "status", "--porcelain", "--", "src", "benchmarks/*.py") else head


def load() -> float:
    """How many processes wanted a CPU during the last minute, on average."""
    return round(os.getloadavg()[0], 2)


def today() -> str:
    """The date, in UTC."""
    return datetime.now(UTC).date().isoformat()


def _first(pattern: str, file: Path) -> str:
    try:
        found = re.search(pattern, file.read_text(encoding="utf-8"))
    except OSError:
        return ""
    return found[1].strip() if found else ""


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
