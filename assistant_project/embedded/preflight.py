"""What must hold before a demo starts anything: packages, address, port."""

import re
import socket
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from assistant_project.embedded.errors import StartRefused

# A pinned line without an environment marker: `name==version \`.
PINNED = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)\s*\\?$", re.MULTILINE)


def refuse_missing_packages(requirements: Path) -> None:
    """Raises: StartRefused when an installed package is absent or not the pinned version."""
    wrong = list(list_wrong_packages(requirements.read_text(encoding="utf-8")))
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise StartRefused(f"packages differ from {requirements.name}: {', '.join(wrong[:3])}{more}; run `make run`")


def list_wrong_packages(requirements: str) -> Iterator[str]:
    for name, wanted in PINNED.findall(requirements):
        try:
            found = version(name)
        except PackageNotFoundError:
            yield f"{name} is missing"
        else:
            if found != wanted:
                yield f"{name} is {found}, not {wanted}"


def claim_port(host: str, port: int) -> int:
    """Return `port`, or a free one for 0, after binding it once.

    Raises: StartRefused when it is taken, not allowed, or `host` is not an address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            cause = error.strerror or str(error)
            cure = "choose another port with PORT=8001 make run"
            raise StartRefused(f"cannot listen on {host}:{port}: {cause}; {cure}") from error
        claimed: int = probe.getsockname()[1]
        return claimed
