"""The main job over a real socket: ask, follow the answer, stop it, never twice."""

from uuid import uuid4

from tests.chat.blackbox.conftest import Pocket
from tests.cursor import Verdict, digest
from tests.live.product import Account

LONG_QUESTION = "Расскажи подробно об ипотеке"


async def test_submit_to_a_new_conversation_streams_the_answer_to_its_end(account: Account, pocket: Pocket) -> None:
    phone = await pocket.add(account.take_phone())
    welcome = await phone.connect()
    assert welcome["subs"] == []
    c = str(uuid4())
    reply = await phone.submit(c, "Что такое вклад?", new=True)
    assert reply["t"] == "ok", reply
    assert reply["d"]["dup"] is False
    turn = reply["d"]["turn"]
    assert await phone.wait_end(c, turn) == "turn.completed"
    held = phone.follow(c)
    assert held.types[:3] == ["conv.created", "turn.accepted", "turn.started"]
    assert set(held.types[3:-1]) == {"text.delta"}
    completed = phone.find("turn.completed")[0]["d"]
    assert held.texts[completed["msg"]].startswith("Вклад")
    assert completed["sum"] == digest(held.texts[completed["msg"]])
    assert completed["finish"] == "stop"
    assert set(phone.verdicts) == {Verdict.APPLIED}
