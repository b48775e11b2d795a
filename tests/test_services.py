"""The tests run on the services they were given."""

import pytest
from django.core.cache import cache
from django.db import connection


@pytest.mark.django_db
def test_database_is_postgresql_15_or_newer() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        assert int(cursor.fetchone()[0]) >= 150000


def test_redis_cache_keeps_a_value(redis_cache: None) -> None:
    cache.set("key", "value", 5)

    assert cache.get("key") == "value"
