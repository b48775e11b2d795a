"""django-environ with two additions: secrets from files, and every mistake told at once instead of the first one."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import environ
from django.core.exceptions import ImproperlyConfigured
from typing_extensions import override

BOOLEAN_WORDS = frozenset({"", "true", "on", "ok", "y", "yes", "1", "false", "off", "n", "no", "0"})
POSTGRES_SCHEMES = ("postgres://", "postgresql://")
SECRET_SUFFIX = "_FILE"  # noqa: S105 - a suffix of names


class Environment(environ.Env):  # type: ignore[misc]  # django-environ ships no types
    """Reads typed values; a wrong one is noted and replaced by its default until `refuse_mistakes`.

    `names` collects every variable asked for, so that a test can compare them with `.env.example`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.mistakes: list[str] = []

    def read_file(self, path: str) -> None:
        """Add what the file at `path` sets and the environment does not; an absent file sets nothing."""
        if Path(path).is_file():
            self.read_env(path)

    @override
    def get_value(self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, **options: Any) -> Any:
        self.names.append(var)
        if cast is bool and self.ENVIRON.get(var, "").lower() not in BOOLEAN_WORDS:
            # django-environ takes every unknown word for false.
            self.mistakes.append(f"{var} must be true or false")
            return default
        try:
            return super().get_value(var, cast=cast, default=default, **options)
        except (ValueError, ImproperlyConfigured):
            # The value itself is not repeated: it may be a secret in the wrong variable.
            self.mistakes.append(f"{var} is not a valid {getattr(cast, '__name__', 'value')}")
            return default

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Return one of `choices`; the first is the default."""
        value = str(self.str(name, default=choices[0]))
        if value not in choices:
            self.mistakes.append(f"{name} must be one of {', '.join(choices)}")
            return choices[0]
        return value

    def count(self, name: str, *, default: int, least: int = 1, most: int | None = None) -> int:
        """Return a whole number of at least `least` and at most `most`."""
        value = int(self.int(name, default=default))
        if most is not None and value > most:
            self.mistakes.append(f"{name} must be {most} or less")
            return default
        if value < least:
            self.mistakes.append(f"{name} must be {least} or more")
            return default
        return value

    def secret(self, name: str, default: str = "") -> str:
        """Return the variable `name`, or the stripped content of the file that `name_FILE` names."""
        self.names.append(name)
        path = self.ENVIRON.get(f"{name}{SECRET_SUFFIX}", "")
        if not path:
            # Not through get_value: it takes a secret that begins with `$` for another variable's name.
            return str(self.ENVIRON.get(name, default))
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            cause = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            self.mistakes.append(f"{name}{SECRET_SUFFIX} names a file that cannot be read: {cause}")
            return default

    def database(self, name: str, *, default: str) -> dict[str, Any]:
        """Return Django's database entry for the PostgreSQL that `name` (or the file in `name_FILE`) tells."""
        url = self.secret(name) or default
        if not url.startswith(POSTGRES_SCHEMES):
            self.mistakes.append(f"{name} must begin with postgres://")
            url = default
        return parse_database_url(url)

    def refuse_mistakes(self) -> None:
        """Raises: ImproperlyConfigured that names every wrong variable."""
        if self.mistakes:
            raise ImproperlyConfigured("wrong settings: " + "; ".join(self.mistakes))


def parse_database_url(url: str) -> dict[str, Any]:
    """Return Django's entry for a postgres:// address."""
    entry: dict[str, Any] = environ.Env.db_url_config(url)
    # A socket directory is written as postgres://user@%2Frun%2Fpostgresql/name, which django-environ leaves quoted.
    return {**entry, "ENGINE": "django.db.backends.postgresql", "HOST": unquote(entry["HOST"])}


def build_child_environment(changes: dict[str, str]) -> dict[str, str]:
    """Return this process's environment with `changes`, for a child that reads the same settings."""
    return {**os.environ, **changes}
