"""Ids are bound for a block, nest, follow tasks, and never overwrite what a caller said himself."""

import asyncio
import logging

from audit.log_context import LogContextFilter, bind, get_bound_ids, get_request_id


def test_bind_nests_and_ends_with_its_block() -> None:
    with bind(request_id="r"):
        with bind(turn_id="t"):
            assert get_bound_ids() == {"request_id": "r", "turn_id": "t"}
        assert get_bound_ids() == {"request_id": "r"}
    assert get_bound_ids() == {}


def test_get_request_id_outside_a_request_is_empty() -> None:
    assert get_request_id() == ""
    with bind(request_id="r"):
        assert get_request_id() == "r"


async def test_bound_ids_follow_tasks_and_stay_apart() -> None:
    async def read(turn_id: str) -> dict[str, str]:
        with bind(turn_id=turn_id):
            await asyncio.sleep(0)
            return get_bound_ids()

    with bind(conversation_id="c"):
        first, second = await asyncio.gather(read("1"), read("2"))

    assert (first["turn_id"], second["turn_id"]) == ("1", "2")
    assert {first["conversation_id"], second["conversation_id"]} == {"c"}


def test_filter_keeps_what_the_caller_gave() -> None:
    record = logging.makeLogRecord({"turn_id": "own"})
    with bind(request_id="r", turn_id="bound"):
        assert LogContextFilter().filter(record)

    assert (record.__dict__["turn_id"], record.__dict__["request_id"]) == ("own", "r")
