"""What must hold before a start: the pinned packages and a free address."""

import socket
from contextlib import closing
from pathlib import Path

import pytest

from assistant_project.embedded.errors import StartRefused
from assistant_project.embedded.preflight import claim_port, list_wrong_packages, refuse_missing_packages
from assistant_project.settings import BASE_DIR


def test_installed_packages_match_the_requirements() -> None:
    refuse_missing_packages(BASE_DIR / "requirements.txt")


def test_wrong_packages_are_named_and_marked_ones_are_left_alone(tmp_path: Path) -> None:
    text = """django==0.1 \\
    --hash=sha256:0
absent-one==1 \\
twisted[tls]==0.2 \\
windows-only==1 ; sys_platform == 'win32' \\
"""
    wrong = list(list_wrong_packages(text))

    assert [line.split()[0] for line in wrong] == ["django", "absent-one", "twisted"]
    path = tmp_path / "requirements.txt"
    path.write_text(text + "absent-two==1 \\\n", encoding="utf-8")
    with pytest.raises(
        StartRefused, match=r"packages differ from requirements.txt: django is .*and 1 more; run `make run`"
    ):
        refuse_missing_packages(path)


def test_claim_port_zero_finds_a_free_one() -> None:
    port = claim_port("127.0.0.1", 0)

    assert port > 0
    assert claim_port("127.0.0.1", port) == port


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_claim_port_refuses_a_taken_one(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    refusal = pytest.raises(StartRefused, match="Address already in use; choose another port with PORT=8001 make run")
    with closing(socket.create_server((host, 0), family=family)) as taken, refusal:
        claim_port(host, taken.getsockname()[1])


def test_claim_port_refuses_a_name_nobody_knows() -> None:
    with pytest.raises(StartRefused, match=r"cannot listen on no-such-host\.invalid:80"):
        claim_port("no-such-host.invalid", 80)
