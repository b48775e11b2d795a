"""Child processes that never outlive their parent, each with its log file."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

PR_SET_PDEATHSIG = 1
PARENT_DIED = 70
# Loaded before any fork: the child may not import or allocate much between fork and exec.
LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One running child.

    stop_signal    asks it to end in its own way
    stop_seconds   how long it may take before it is killed
    """

    name: str
    process: "subprocess.Popen[bytes]"
    log_path: Path
    stop_signal: signal.Signals
    stop_seconds: float

    @property
    def pid(self) -> int:
        return self.process.pid

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def stop(self) -> None:
        """Ask the child to end, wait its `stop_seconds`, then kill it. Idempotent."""
        if self.has_ended():
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def read_last_lines(self, count: int = 15) -> str:
        """Return the end of the child's log, for the message that says why it ended."""
        return "\n".join(self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])


def start_child(
    name: str,
    command: Sequence[str | Path],
    *,
    log_path: Path,
    environment: Mapping[str, str],
    directory: Path = Path("/"),
    user: int | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    stop_seconds: float = 10.0,
    orphan_signal: signal.Signals = signal.SIGKILL,
) -> Child:
    """Start `command` in its own session, with its output in `log_path`.

    The kernel sends `orphan_signal` to the child when this process dies, however it dies (Linux only). The terminal's
    Ctrl-C does not reach it: the supervisor stops its children in its own order.

    user   numeric id to run as; None: the caller's own
    """
    descriptor = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "wb") as log:
        process = subprocess.Popen(  # noqa: S603 - fixed programs of ours
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=directory,
            user=user,
            group=user,
            extra_groups=[] if user is not None else None,
            start_new_session=True,
            # Safe here: the function only makes two system calls and takes no lock.
            preexec_fn=partial(die_with_parent, os.getpid(), int(orphan_signal)),  # noqa: PLW1509
        )
    return Child(name=name, process=process, log_path=log_path, stop_signal=stop_signal, stop_seconds=stop_seconds)


def die_with_parent(parent: int, signal_number: int) -> None:
    """Ask the kernel for `signal_number` at the parent's death; runs in the child, before its program."""
    if LIBC is None:
        return
    LIBC.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:  # it died before the request above
        os._exit(PARENT_DIED)
