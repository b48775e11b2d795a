import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from pytest_django import Settings
from typing_extensions import override

from accounts.errors import ThrottleUnavailable
from accounts.throttles import (
    Window,
    build_window,
    count_hit,
    fold_username,
    forget_hits,
    group_address,
    take_back_hit,
)


def build_day_window(subject: str = "anna") -> Window:
    """Return a window so long that no test sees its end."""
    return build_window("test", subject, limit=3, seconds=100_000_000)


def test_count_hit_counts_from_one() -> None:
    window = build_day_window()
    assert [count_hit(window) for _ in range(3)] == [1, 2, 3]
    assert count_hit(build_day_window("boris")) == 1


def test_count_hit_from_many_threads_loses_none(redis_cache: None) -> None:
    window = build_day_window()
    with ThreadPoolExecutor(20) as pool:
        counts = sorted(pool.map(lambda _: count_hit(window), range(200)))
    assert counts == list(range(1, 201))


def test_take_back_hit_subtracts_one_and_forget_hits_all() -> None:
    window = build_day_window()
    count_hit(window)
    count_hit(window)
    take_back_hit(window)
    assert count_hit(window) == 2
    forget_hits(window)
    assert count_hit(window) == 1


def test_take_back_hit_of_forgotten_window_does_nothing() -> None:
    window = build_day_window()
    take_back_hit(window)
    assert count_hit(window) == 1


def test_count_hit_stored_key_expires(redis_cache: None) -> None:
    window = build_window("test", "anna", limit=3, seconds=60)
    count_hit(window)
    assert 1 <= window.count_seconds_left() <= 61
    assert cache.touch(window.cache_key, 0)
    assert count_hit(window) == 1


def test_build_window_hides_its_subject() -> None:
    assert "anna" not in build_day_window("anna").cache_key


def test_build_window_of_next_stretch_starts_anew() -> None:
    window = build_day_window()
    count_hit(window)
    later = Window(window.key, window.limit, window.seconds, window.number + 1)
    assert count_hit(later) == 1


def test_count_seconds_left_of_current_window_reaches_its_end() -> None:
    window = build_window("test", "anna", limit=3, seconds=900)
    end = (window.number + 1) * 900
    assert abs(time.time() + window.count_seconds_left() - end) <= 1.1


def test_cache_away_is_a_named_error(settings: Settings) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    for act in (count_hit, take_back_hit, forget_hits):
        with pytest.raises(ThrottleUnavailable):
            act(build_day_window())


def test_fold_username_joins_spellings() -> None:
    assert fold_username(" ANNA ") == fold_username("anna") == fold_username("\uff41nna")


@pytest.mark.parametrize(
    ("ip", "group"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("", ""),
        ("unix", ""),
    ],
)
def test_group_address_groups_by_household(ip: str, group: str) -> None:
    assert group_address(ip) == group


class ForgetfulCache(LocMemCache):
    """Loses a key right after it was added, as one whose time ran out would."""

    @override
    def add(self, key: Any, value: Any, timeout: Any = None, version: int | None = None) -> bool:
        return True


def test_count_hit_whose_counter_ran_out_is_the_first_of_the_next(settings: Settings) -> None:
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.ForgetfulCache", "LOCATION": "forgetful"}}
    assert [count_hit(build_day_window()) for _ in range(2)] == [1, 1]
