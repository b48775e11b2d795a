"""`.run/`: everything a demo keeps between starts, readable by its owner only."""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from assistant_project.embedded.errors import StartRefused

OWNER_ONLY = 0o600


class RunDirectory:
    """The directory, its lock and its private files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] | None = None

    def lock(self) -> None:
        """Make the directory private and ours until this process ends.

        Raises: StartRefused when another demo runs on it.
        """
        try:
            self.path.mkdir(mode=0o700, exist_ok=True)
            self.path.chmod(0o700)
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, OWNER_ONLY)
        except OSError as error:
            raise StartRefused(f"{self.path} cannot be used: {error.strerror}") from error
        lock = os.fdopen(descriptor, "r+", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = lock.read().strip() or "unknown"
            lock.close()
            raise StartRefused(f"a demo already runs on {self.path} (process {owner}); stop it first") from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def log_path(self, name: str) -> Path:
        return self.path / f"{name}.log"

    def write_json(self, name: str, content: Mapping[str, Any]) -> Path:
        """Write a private file whole: a reader sees the old content or the new one."""
        path = self.path / name
        unfinished = self.path / f"{name}.new"
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, indent=2)
        unfinished.rename(path)
        return path

    def read_json(self, name: str) -> dict[str, Any]:
        """Return the file's content; empty when it is absent or was cut."""
        with suppress(FileNotFoundError, ValueError):
            content = json.loads((self.path / name).read_text(encoding="utf-8"))
            return content if isinstance(content, dict) else {}
        return {}

    def remove(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)

    def delete(self) -> None:
        """Delete the directory and what it holds."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.unlock()

    def keep_secrets(self, makers: Mapping[str, Callable[[], str]]) -> dict[str, str]:
        """Return one secret per name: the kept one, or one made now and kept for the next start."""
        kept = self.read_json("secrets.json")
        values = {name: str(kept.get(name) or make()) for name, make in makers.items()}
        if values != kept:
            self.write_json("secrets.json", values)
        return values


def make_random_key() -> str:
    return secrets.token_urlsafe(48)
