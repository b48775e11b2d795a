"""The paced generator: its plan, its tokens, and that it must be switched on."""

import pytest

from chat.gigachat.sandbox import Sandbox
from chat.gigachat.sandbox.bench import BenchPlan, find_bench_plan
from tests.chat.gigachat.sandbox.conftest import StartSandbox
from tests.chat.gigachat.sandbox.wire import chat, join_content, list_payloads


@pytest.mark.parametrize(
    ("model", "plan"),
    [
        ("bench:200:20", BenchPlan(200, 0.02, 1)),
        ("bench:5:0:16", BenchPlan(5, 0.0, 16)),
        ("bench:5:0:0", BenchPlan(5, 0.0, 1)),
        ("bench:5", None),
        ("bench:-5:1", None),
        ("GigaChat-2", None),
    ],
)
def test_find_bench_plan_reads_the_name(model: str, plan: BenchPlan | None) -> None:
    assert find_bench_plan(model) == plan


@pytest.mark.parametrize(("model", "writes"), [("bench:10:0", 11), ("bench:10:1", 11), ("bench:10:0:4", 5)])
async def test_bench_sends_that_many_tokens(start_sandbox: StartSandbox, model: str, writes: int) -> None:
    sandbox = await start_sandbox(is_bench=True)

    reply = await chat(sandbox, model=model)

    finish = list_payloads(reply.body)[-1]
    assert join_content(reply.body) == "счёт " * 10
    assert (finish["choices"][0]["finish_reason"], finish["usage"]["completion_tokens"]) == ("stop", 10)
    assert len(reply.chunks) == writes
    assert reply.body.endswith(b"data: [DONE]\n\n")


async def test_bench_is_absent_unless_switched_on(sandbox: Sandbox) -> None:
    assert (await chat(sandbox, model="bench:10:0")).status == 404
