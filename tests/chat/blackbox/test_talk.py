"""The command for people: signs in over REST and asks over the socket."""

import asyncio
import json
from uuid import uuid4

import pytest

from tests.live.product import Product
from tests.talk import sign_in, talk


@pytest.mark.parametrize("shows_frames", [False, True])
async def test_talk_prints_the_answer(
    product: Product, capsys: pytest.CaptureFixture[str], *, shows_frames: bool
) -> None:
    username, password = uuid4().hex, uuid4().hex
    product.clerk.ask("add_customer", username=username, password=password)
    token = await asyncio.to_thread(sign_in, product.http_url, username, password)
    assert await talk(product.http_url, token, "Что такое вклад?", shows_frames=shows_frames) == 0
    printed = capsys.readouterr().out
    if shows_frames:
        types = [json.loads(line)["t"] for line in printed.splitlines()]
        assert (types[0], types[-1]) == ("welcome", "turn.completed")
    else:
        assert printed.startswith("Вклад — это деньги")


async def test_talk_of_a_refused_question_says_why(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    token = product.add_customer().open_session().issue_token()
    assert await talk(product.http_url, token, " ", shows_frames=False) == 1
    assert "proto.invalid" in capsys.readouterr().out
