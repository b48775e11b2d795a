"""The versions of all functions as they were last published: functions/versions.json, in the repository."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from functions.definitions import Function

LOCK_PATH = Path(__file__).with_name("versions.json")


@dataclass(frozen=True, slots=True)
class Locked:
    version: int
    schema_hash: str


def read_lock(path: Path = LOCK_PATH) -> dict[str, Locked]:
    """Return the published versions by name; none when there is no file yet."""
    if not path.exists():
        return {}
    return {name: Locked(**facts) for name, facts in orjson.loads(path.read_bytes()).items()}


def render_lock(functions: Iterable[Function]) -> str:
    facts = {one.name: {"version": one.version, "schema_hash": one.schema_hash} for one in functions}
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n"


def list_unraised(functions: Iterable[Function], lock: Mapping[str, Locked]) -> list[str]:
    """Return the names of functions that tell the model something else under a version it was published with."""
    known = ((one, lock.get(one.name)) for one in functions)
    return [
        one.name
        for one, locked in known
        if locked is not None and one.version <= locked.version and one.schema_hash != locked.schema_hash
    ]
