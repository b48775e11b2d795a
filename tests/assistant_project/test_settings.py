"""`.env.example` and the settings name the same variables, and a wrong setting stops every command in one line."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from django.conf import settings as django_settings

from assistant_project import settings

PROJECT_DIR = Path(settings.BASE_DIR)


def list_documented_names() -> set[str]:
    text = (PROJECT_DIR / ".env.example").read_text(encoding="utf-8")
    names = re.findall(r"^# ?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE)
    return {name.removesuffix("_FILE") if name.removesuffix("_FILE") in names else name for name in names}


def test_env_example_documents_exactly_the_variables_that_are_read() -> None:
    assert list_documented_names() == set(settings.env.names)


def test_env_example_gives_every_variable_a_default() -> None:
    """The lines of comment above a variable, up to the variable before it, must say what happens without it."""
    comment = ""
    undocumented = []
    for line in (PROJECT_DIR / ".env.example").read_text(encoding="utf-8").splitlines():
        if re.match(r"# ?[A-Z][A-Z0-9_]+=", line):
            if "Default:" not in comment and not line.startswith(f"# {name_of_twin(comment)}="):
                undocumented.append(line)
            comment = f"{comment}\n{line}" if "_FILE=" in line else ""
        else:
            comment += line
    assert undocumented == []


def name_of_twin(comment: str) -> str:
    """Return the variable whose `_FILE` line ended the comment: it stands under the same explanation."""
    found = re.search(r"# ([A-Z0-9_]+)_FILE=", comment)
    return found[1] if found else "-"


def test_tests_run_on_their_own_settings() -> None:
    assert django_settings.EMBEDDED is False
    assert django_settings.GIGACHAT_CREDENTIALS == ""


def run_manage(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "assistant_project.settings", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_wrong_settings_stop_a_command_with_one_line() -> None:
    answer = run_manage("serve", PORT="eighty", DEBUG="banana")

    assert answer.returncode != 0
    assert answer.stderr == "error: wrong settings: DEBUG must be true or false; PORT is not a valid int\n"


def test_silent_redis_is_waited_for_only_so_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        ask = "from accounts.shared_cache import read_value; print('answer', read_value('any'))"

        answer = run_manage("shell", "-v", "0", "-c", ask, REDIS_URL=f"redis://127.0.0.1:{port}/0", REDIS_SECONDS="0.1")

    assert answer.returncode == 0, answer.stderr
    assert "answer None" in answer.stdout
