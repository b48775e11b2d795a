"""Values are typed, secrets come from files, and every mistake is told at once without its value."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from assistant_project.environment import Environment, build_child_environment

DEFAULT_URL = "postgres://assistant@127.0.0.1:5432/assistant"


@pytest.fixture
def env() -> Environment:
    return Environment()


def test_secret_with_file_returns_stripped_content(
    env: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    path.write_text("s3cret\n", encoding="utf-8")
    monkeypatch.setenv("SAMPLE_FILE", str(path))
    monkeypatch.setenv("SAMPLE", "ignored")

    assert env.secret("SAMPLE") == "s3cret"


def test_secret_with_unreadable_file_is_a_mistake(
    env: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMPLE_FILE", str(tmp_path / "absent"))

    assert env.secret("SAMPLE", "default") == "default"
    with pytest.raises(ImproperlyConfigured, match="SAMPLE_FILE names a file that cannot be read: No such file"):
        env.refuse_mistakes()


def test_secret_with_binary_file_is_a_mistake(
    env: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"\xff\xfe")
    monkeypatch.setenv("SAMPLE_FILE", str(path))
    env.secret("SAMPLE")

    with pytest.raises(ImproperlyConfigured, match="not UTF-8"):
        env.refuse_mistakes()


def test_secret_beginning_with_dollar_is_kept(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAMPLE_FILE", raising=False)
    monkeypatch.setenv("SAMPLE", "$HOME")

    assert env.secret("SAMPLE") == "$HOME"


def test_refuse_mistakes_names_every_wrong_variable_and_no_value(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMPLE_PORT", "s3cret")
    monkeypatch.setenv("SAMPLE_FLAG", "banana")
    monkeypatch.setenv("SAMPLE_SECONDS", "soon")
    monkeypatch.setenv("SAMPLE_MODE", "sideways")
    monkeypatch.setenv("SAMPLE_COUNT", "0")
    monkeypatch.setenv("SAMPLE_URL", "sqlite:///s3cret")

    values = [
        env.int("SAMPLE_PORT", default=1),
        env.bool("SAMPLE_FLAG", default=False),
        env.float("SAMPLE_SECONDS", default=1.5),
        env.choice("SAMPLE_MODE", ("up", "down")),
        env.count("SAMPLE_COUNT", default=3),
        env.database("SAMPLE_URL", default=DEFAULT_URL)["NAME"],
    ]

    assert values == [1, False, 1.5, "up", 3, "assistant"]
    with pytest.raises(ImproperlyConfigured) as refused:
        env.refuse_mistakes()
    text = str(refused.value)
    assert [name for name in env.names if name not in text] == []
    assert "s3cret" not in text


def test_right_values_make_no_mistake(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLE_FLAG", "yes")
    monkeypatch.setenv("SAMPLE_MODE", "down")
    monkeypatch.setenv("SAMPLE_COUNT", "2")

    assert env.bool("SAMPLE_FLAG", default=False) is True
    assert env.choice("SAMPLE_MODE", ("up", "down")) == "down"
    assert env.count("SAMPLE_COUNT", default=3) == 2
    env.refuse_mistakes()


def test_database_with_socket_directory_returns_its_path(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLE_URL", "postgres://postgres@%2Ftmp%2Fpg/bank")

    entry = env.database("SAMPLE_URL", default=DEFAULT_URL)

    assert (entry["HOST"], entry["NAME"], entry["USER"]) == ("/tmp/pg", "bank", "postgres")


def test_database_with_file_reads_the_address_from_it(
    env: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "url"
    path.write_text("postgresql://user:p%40ss@db.bank.example:6432/bank\n", encoding="utf-8")
    monkeypatch.setenv("SAMPLE_URL_FILE", str(path))

    entry = env.database("SAMPLE_URL", default=DEFAULT_URL)

    assert (entry["HOST"], entry["PORT"], entry["PASSWORD"]) == ("db.bank.example", 6432, "p@ss")


def test_read_file_sets_only_what_the_environment_lacks(
    env: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".env"
    path.write_text("SAMPLE_ONE=file\nSAMPLE_TWO=file\n", encoding="utf-8")
    monkeypatch.setenv("SAMPLE_ONE", "shell")
    monkeypatch.setenv("SAMPLE_TWO", "")
    monkeypatch.delenv("SAMPLE_TWO")

    env.read_file(str(path))
    env.read_file(str(tmp_path / "absent"))

    assert (env.str("SAMPLE_ONE"), env.str("SAMPLE_TWO")) == ("shell", "file")


def test_build_child_environment_adds_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLE", "parent")

    environment = build_child_environment({"OTHER": "child"})

    assert (environment["SAMPLE"], environment["OTHER"]) == ("parent", "child")


@pytest.mark.parametrize(("text", "found"), [("1", 1), ("300", 300), ("0", 120), ("301", 120)])
def test_count_outside_its_bounds_is_a_mistake(
    env: Environment, monkeypatch: pytest.MonkeyPatch, text: str, found: int
) -> None:
    monkeypatch.setenv("SAMPLE", text)

    assert env.count("SAMPLE", default=120, most=300) == found
    assert bool(env.mistakes) == (found == 120)
