"""Cores, memory and CPU time of processes, and how many sockets this machine allows."""

import os
import platform
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

# Beside the sockets: databases, logs, libraries.
SPARE_DESCRIPTORS = 200


def choose_cores() -> tuple[int | None, int | None]:
    """Return the core of the servers and the core of everything else; None twice where processes cannot be pinned."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
    return (cores[0], cores[1]) if len(cores) > 1 else (None, None)


@contextmanager
def pinned_to(core: int | None) -> Iterator[None]:
    """Pin this process, and so the children started meanwhile with all their threads; then go back."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def raise_descriptor_limit() -> int:
    """Raise the limit of open files as far as it goes, for this process and its children; return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else 1 << 20


def count_possible_sockets(wanted: int, *, servers: int) -> int:
    """Return how many sockets to each of the servers fit into this process's open files, at most `wanted`."""
    return min(wanted, (raise_descriptor_limit() - SPARE_DESCRIPTORS) // servers)


def read_cpu_seconds(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def read_family_cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and all its children, those that ended included."""
    process = psutil.Process(pid)
    times = process.cpu_times()
    total = float(times.user + times.system + times.children_user + times.children_system)
    for child in process.children(recursive=True):
        try:
            total += read_cpu_seconds(child.pid)
        except psutil.NoSuchProcess:
            continue
    return total


def read_resident_bytes(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)


def describe_machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def describe_load() -> str:
    """Return the load average of five minutes; before a run it says how much others disturb it."""
    load = os.getloadavg()[1]
    is_disturbed = load > (os.cpu_count() or 1) / 2
    return f"load average {load:.1f}" + (": others use this machine, delays say little" if is_disturbed else "")
