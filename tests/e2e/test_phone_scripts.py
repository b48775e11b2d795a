"""The page's pure modules, run by a real browser: cursor rule, transcript, digests, markup, waiting times, acks."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from chat.protocol.frames import digest_text
from tests.e2e.conftest import OpenPhone
from tests.e2e.scripted import ORIGIN, answer_static

pytestmark = pytest.mark.asyncio(loop_scope="session")
MODULES = f"{ORIGIN}/static/chat/phone"
Run = Callable[..., Awaitable[Any]]


async def open_origin(page: Page) -> Page:
    """Load a blank page that may import the modules."""
    await page.route(f"{ORIGIN}/static/**", answer_static)
    await page.route(f"{ORIGIN}/", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    await page.goto(f"{ORIGIN}/")
    return page


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """One page for all: what the modules do here leaves no trace."""
    context = await browser.new_context()
    yield await open_origin(await context.new_page())
    await context.close()


async def run_script(page: Page, module: str, script: str, given: Any = None) -> Any:
    """Run JavaScript with a module's exports in `module` and an argument in `given`; return what it returns."""
    wrapped = f"async ({{ given, url }}) => {{ const module = await import(url); {script} }}"
    return await page.evaluate(wrapped, {"given": given, "url": f"{MODULES}/{module}.js"})


@pytest.fixture
def run(page: Page) -> Run:
    return partial(run_script, page)


@pytest.mark.parametrize(
    ("cursor", "frame", "verdict"),
    [
        (5, {"s": 6}, "apply"),
        (5, {"s": 9, "n": 4}, "apply"),
        (0, {"s": 1}, "apply"),
        (5, {"s": 5}, "drop"),
        (5, {"s": 5, "n": 3}, "drop"),
        (5, {"s": 2, "n": 2}, "drop"),
        (5, {"s": 6, "n": 2}, "overlap"),
        (5, {"s": 8, "n": 7}, "overlap"),
        (5, {"s": 7}, "hole"),
        (5, {"s": 9, "n": 3}, "hole"),
        (5, {"s": 3, "snap": True}, "replace"),
        (5, {"s": 9, "snap": True}, "replace"),
        (None, {"s": 1}, "drop"),
        (None, {"s": 7, "snap": True}, "replace"),
    ],
)
async def test_judge_frame_follows_the_cursor_rule(
    run: Run, cursor: int | None, frame: dict[str, Any], verdict: str
) -> None:
    given = {"cursor": cursor, "frame": frame}

    assert await run("cursor", "return module.judgeFrame(given.cursor, given.frame);", given) == verdict


async def test_choose_repair_attaches_three_times_then_reconnects_once_then_stops(run: Run) -> None:
    script = "const limit = new module.RepairLimit(); return given.map((time) => limit.choose(time));"

    steps = await run("cursor", script, [0, 100, 200, 300, 400, 20_000, 20_100, 20_200, 20_300])

    assert steps == ["attach", "attach", "attach", "reconnect", "stop", "attach", "attach", "attach", "reconnect"]


@pytest.mark.parametrize("text", ["", "plain", "Курс евро: 98,40 ₽.", "🙂👩‍👩‍👧 e\u0301", "a" * 70_000])
async def test_digest_text_equals_the_servers(run: Run, text: str) -> None:
    script = "return [module.measureBytes(given), await module.digestText(given)];"

    assert await run("digests", script, text) == [len(text.encode()), digest_text(text)]


@pytest.mark.parametrize(
    ("claim", "is_match"),
    [
        ({}, True),
        ({"bytes": 8}, True),
        ({"bytes": 4}, False),
        ({"bytes": 8, "sum": digest_text("Курс")}, True),
        ({"bytes": 8, "sum": digest_text("Kурс")}, False),
    ],
)
async def test_matches_claim_by_length_and_digest(run: Run, claim: dict[str, Any], *, is_match: bool) -> None:
    assert await run("digests", "return module.matchesClaim('Курс', given);", claim) is is_match


async def test_make_id_is_an_ordered_uuid7(run: Run) -> None:
    script = """
        const first = module.makeId();
        await new Promise((done) => setTimeout(done, 2));
        return [first, module.makeId()];
    """

    first, second = await run("ids", script)

    assert [first[14], first[19] in "89ab", len(first)] == ["7", True, 36]
    assert first[:13] < second[:13]


@pytest.mark.parametrize(
    ("code", "after", "random", "delays"),
    [
        (1006, None, 0.5, [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]),
        (4413, 500, 0.5, [2000, 2000]),
        (4429, 30_000, 0.5, [30_250, 30_500]),
        (1006, None, 0.0, [0, 0]),
    ],
)
async def test_backoff_doubles_with_full_jitter(
    run: Run, code: int, after: int | None, random: float, delays: list[int]
) -> None:
    script = """
        const backoff = new module.Backoff(() => given.random);
        return given.delays.map(() => backoff.next(given.code, given.after ?? undefined));
    """

    assert await run("backoff", script, {"code": code, "after": after, "random": random, "delays": delays}) == delays


async def test_backoff_forgets_failures_after_a_stable_minute(run: Run) -> None:
    script = """
        const backoff = new module.Backoff(() => 1);
        const delays = [backoff.next(1006), backoff.next(1006)];
        backoff.noteEnd(59_999);
        delays.push(backoff.next(1006));
        backoff.noteEnd(60_000);
        return [...delays, backoff.next(1006)];
    """

    assert await run("backoff", script) == [500, 1000, 2000, 500]


@pytest.mark.parametrize(
    ("verdict", "codes"),
    [
        ("done", [1000, 1001]),
        ("reconnect", [1005, 1006, 1011, 1012, 1013, 1014, 4400, 4401, 4414, 4429, 4499]),
        ("stop", [1002, 1003, 1007, 1009, 1010, 1015, 3000, 4300, 4500, 4506, 4509, 4526, 4599, 4600]),
        ("sign-in", [4501, 4503, 4510]),
    ],
)
async def test_read_close_code_by_its_range(run: Run, verdict: str, codes: list[int]) -> None:
    assert await run("protocol", "return given.map(module.readCloseCode);", codes) == [verdict] * len(codes)


ANSWER = [
    {"t": "conv.created", "s": 1, "d": {"title": "Курс"}},
    {"t": "turn.accepted", "s": 2, "d": {"turn": "t1", "msg": "q1", "mid": "m1", "text": "Курс?", "dev": "d"}},
    {"t": "turn.started", "s": 3, "d": {"turn": "t1", "msg": "a1", "attempt": 1, "model": "x"}},
    {"t": "text.delta", "s": 4, "d": {"msg": "a1", "off": 0, "text": "Курс"}},
    {"t": "text.delta", "s": 6, "n": 2, "d": {"msg": "a1", "off": 8, "text": " евро"}},
]
APPLY = """
    const conversation = module.buildConversation("c", true);
    const claims = given.map((frame) => module.applyEvent(conversation, frame));
    return { ...conversation, claim: claims.at(-1) };
"""


def build_end(kind: str, **body: Any) -> dict[str, Any]:
    return {"t": kind, "s": 7, "d": {"turn": "t1", **body}}


async def test_apply_events_of_one_turn_grows_the_answer(run: Run) -> None:
    state = await run("transcript", APPLY, ANSWER)

    assert state["title"] == "Курс"
    assert [(item["id"], item["text"], item["bytes"], item["state"]) for item in state["messages"]] == [
        ("q1", "Курс?", 9, "done"),
        ("a1", "Курс евро", 17, "streaming"),
    ]
    assert state["turns"] == [{"id": "t1", "state": "running", "answer": "a1"}]


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (build_end("turn.completed", msg="a1", finish="stop", bytes=17, sum="s"), {"state": "done"}),
        (
            build_end("turn.completed", msg="a1", finish="length", bytes=17, sum="s"),
            {"state": "done", "note": "length"},
        ),
        (build_end("turn.cancelled", msg="a1", bytes=17, sum="s", dev="d"), {"state": "stopped"}),
        (
            build_end("turn.failed", msg="a1", partial=True, bytes=17, sum="s", error={"code": "worker.lost"}),
            {"state": "failed", "error": "worker.lost"},
        ),
    ],
)
async def test_apply_end_of_turn_settles_the_answer(run: Run, end: dict[str, Any], expected: dict[str, str]) -> None:
    state = await run("transcript", APPLY, [*ANSWER, end])
    answer = state["messages"][1]

    assert {key: answer[key] for key in expected} == expected
    assert answer["text"] == "Курс евро"
    assert state["turns"] == []
    assert state["claim"] == {"message": "a1", "bytes": 17, "sum": "s"}


async def test_apply_failure_before_any_text_leaves_a_row_for_the_reason(run: Run) -> None:
    failure = build_end("turn.failed", partial=False, error={"code": "upstream.queue_full"})

    state = await run("transcript", APPLY, [*ANSWER[:2], failure])

    assert state["messages"][1]["id"] == "end-of-t1"
    assert state["messages"][1]["error"] == "upstream.queue_full"
    assert state["claim"] is None


async def test_apply_reset_starts_the_text_over(run: Run) -> None:
    again = [
        {"t": "msg.reset", "s": 7, "d": {"turn": "t1", "msg": "a1", "attempt": 2, "why": "worker_lost"}},
        {"t": "turn.started", "s": 8, "d": {"turn": "t1", "msg": "a1", "attempt": 2, "model": "x"}},
        {"t": "text.delta", "s": 9, "d": {"msg": "a1", "off": 0, "text": "Евро"}},
    ]

    state = await run("transcript", APPLY, [*ANSWER, *again])

    assert [item["text"] for item in state["messages"]] == ["Курс?", "Евро"]
    assert len(state["turns"]) == 1


async def test_apply_replacement_withdraws_the_text(run: Run) -> None:
    replaced = {
        "t": "msg.replaced",
        "s": 7,
        "d": {"msg": "a1", "text": "Не могу.", "bytes": 14, "sum": "s", "why": "p"},
    }

    state = await run("transcript", APPLY, [*ANSWER, replaced])

    assert [state["messages"][1][key] for key in ("text", "bytes", "note")] == ["Не могу.", 14, "withdrawn"]


async def test_apply_delta_at_a_wrong_offset_refuses(run: Run) -> None:
    script = """
        const conversation = module.buildConversation("c", true);
        try {
          given.forEach((frame) => module.applyEvent(conversation, frame));
        } catch (error) {
          return [error instanceof module.TranscriptBroken, conversation.messages[1].text];
        }
    """
    wrong = {"t": "text.delta", "s": 7, "d": {"msg": "a1", "off": 9, "text": "!"}}

    assert await run("transcript", script, [*ANSWER, wrong]) == [True, "Курс евро"]


async def test_apply_unknown_type_changes_nothing(run: Run) -> None:
    unknown = {"t": "type.of.tomorrow", "s": 7, "d": {"turn": "t1", "call": "k"}}

    assert await run("transcript", APPLY, [*ANSWER, unknown]) == await run("transcript", APPLY, ANSWER) | {
        "claim": None
    }


async def test_answer_stays_under_its_question_when_another_waits(run: Run) -> None:
    second = {
        "t": "turn.accepted",
        "s": 3,
        "d": {"turn": "t2", "msg": "q2", "mid": "m2", "text": "И юаня?", "dev": "d"},
    }

    state = await run("transcript", APPLY, [*ANSWER[:2], second, *ANSWER[2:]])

    assert [item["id"] for item in state["messages"]] == ["q1", "a1", "q2"]
    assert [(turn["id"], turn["state"]) for turn in state["turns"]] == [("t1", "running"), ("t2", "queued")]


async def test_apply_snapshot_joins_pieces_and_continues_the_running_answer(run: Run) -> None:
    script = """
        const conversation = module.buildConversation("c", false);
        module.applySnapshot(conversation, given.bodies);
        module.applyEvent(conversation, given.delta);
        return conversation;
    """
    first = [
        {"msg": "q1", "turn": "t1", "role": "user", "text": "Курс?", "bytes": 9, "sum": "s"},
        {"msg": "a1", "turn": "t1", "role": "assistant", "text": "Дл", "off": 0, "bytes": 10, "sum": "s"},
    ]
    second = [
        {"msg": "a1", "turn": "t1", "role": "assistant", "text": "инн", "off": 4, "bytes": 10, "sum": "s"},
        {"msg": "q2", "turn": "t2", "role": "user", "text": "А?", "bytes": 3, "sum": "s"},
        {"msg": "a2", "turn": "t2", "role": "assistant", "text": "Да", "bytes": 4, "sum": "s", "partial": True},
    ]
    active = {"turn": "t2", "state": "running", "attempt": 1, "msg": "a2"}
    bodies = [
        {"part": 1, "of": 2, "title": "Курс", "msgs": first, "older": True},
        {"part": 2, "of": 2, "title": "Курс", "msgs": second, "older": True, "active": active},
    ]
    delta = {"t": "text.delta", "s": 9, "d": {"msg": "a2", "off": 4, "text": "!"}}

    state = await run("transcript", script, {"bodies": bodies, "delta": delta})

    assert [item["text"] for item in state["messages"]] == ["Курс?", "Длинн", "А?", "Да!"]
    assert [item["state"] for item in state["messages"]] == ["done", "done", "done", "streaming"]
    assert [(turn["id"], turn["state"]) for turn in state["turns"]] == [("t2", "running")]
    assert state["hasOlder"] is True


async def test_acks_wait_a_second_but_not_for_size_or_an_end(open_phone: OpenPhone) -> None:
    page = await open_origin((await open_phone()).page)
    await page.clock.install()
    script = """
        const sent = [];
        const acks = new module.Acks((positions) => sent.push(positions));
        const note = (position, size, isFinal) => acks.note("c", position, { size, isFinal });
        note(1, 100, false);
        note(2, 100, false);
        const early = sent.length;
        globalThis.acksTest = { sent, note, early };
    """
    await run_script(page, "acks", script)
    await page.clock.fast_forward(1_000)
    after_second = await page.evaluate("() => [acksTest.early, structuredClone(acksTest.sent)]")
    rest = await page.evaluate(
        """() => {
          acksTest.sent.length = 0;
          acksTest.note(3, 32 * 1024 - 1, false);
          const before = acksTest.sent.length;
          acksTest.note(4, 1, false);
          acksTest.note(5, 1, true);
          return [before, acksTest.sent];
        }"""
    )

    assert after_second == [0, [{"c": 2}]]
    assert rest == [0, [{"c": 4}, {"c": 5}]]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Один\nдва\n\nтри", "<p>Один<br>два</p><p>три</p>"),
        ("**Важно:** да", "<p><strong>Важно:</strong> да</p>"),
        ("2 ** 3 ** 4", "<p>2 ** 3 ** 4</p>"),
        ("**не закрыто", "<p>**не закрыто</p>"),
        ("Шаги:\n1. Первый\n2. **Второй**\n\n- раз\n* два", None),
        ("3) третий", '<ol start="3"><li>третий</li></ol>'),
        ("## Итог", "<p><strong>Итог</strong></p>"),
        ("<img src=x onerror=alert(1)> &amp;", "<p>&lt;img src=x onerror=alert(1)&gt; &amp;amp;</p>"),
        ("[link](javascript:alert(1))", "<p>[link](javascript:alert(1))</p>"),
    ],
)
async def test_render_text_makes_only_paragraphs_lists_and_bold(run: Run, text: str, html: str | None) -> None:
    script = "const box = document.createElement('div'); module.renderText(box, given); return box.innerHTML;"
    lists = "<p>Шаги:</p><ol><li>Первый</li><li><strong>Второй</strong></li></ol><ul><li>раз</li><li>два</li></ul>"

    assert await run("markup", script, text) == (html or lists)


async def test_render_text_of_a_growing_answer_keeps_finished_blocks(run: Run) -> None:
    script = """
        const box = document.createElement("div");
        const seen = [];
        for (const text of ["Один", "Один\\n\\nдв", "Один\\n\\nдва\\n\\nтри", "Один"]) {
          module.renderText(box, text);
          seen.push([box.children[0], box.innerText ?? box.textContent]);
        }
        return [seen.every(([first]) => first === seen[0][0]), box.textContent];
    """

    assert await run("markup", script) == [True, "Один"]
