import logging

import pytest

from accounts.shared_cache import (
    add_value,
    delete_values,
    increment_value,
    read_value,
    read_values,
    write_value,
)


@pytest.fixture(params=["memory", "redis"])
def any_cache(request: pytest.FixtureRequest) -> None:
    if request.param == "redis":
        request.getfixturevalue("redis_cache")


@pytest.mark.usefixtures("any_cache")
def test_values_are_written_read_counted_and_deleted() -> None:
    assert read_value("a") is None
    assert increment_value("a") == 0
    write_value("a", 1, seconds=60)
    write_value("b", 2.5, seconds=60)
    assert increment_value("a") == 2
    assert read_values(("a", "b", "c")) == {"a": 2, "b": 2.5}
    assert not add_value("a", "taken", seconds=60)
    assert add_value("c", "free", seconds=60)
    delete_values("a", "b")
    assert read_values(("a", "b", "c")) == {"c": "free"}


@pytest.mark.usefixtures("broken_cache")
def test_broken_cache_holds_nothing_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        write_value("a", "x", seconds=60)
        delete_values("a")
        assert read_value("a") is None
        assert read_values(("a",)) == {}
        assert increment_value("a") == 0
        assert add_value("a", "x", seconds=60)
    assert len(caplog.records) == 6
    assert {record.getMessage() for record in caplog.records} == {"the shared cache is down"}
