"""The page's exact amounts, signatures as bytes and days, run by a real browser without a page of its own."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from playwright.async_api import Browser

from accounts.keys import encode_base64url
from tests.e2e.test_phone_scripts import Run, open_origin, run_script

pytestmark = pytest.mark.asyncio(loop_scope="session")
LARGEST = 2**256 - 1


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def run(browser: Browser) -> AsyncIterator[Run]:
    context = await browser.new_context()
    yield partial(run_script, await open_origin(await context.new_page()))
    await context.close()


@pytest.mark.parametrize(
    ("r", "s"), [(1, 1), (127, 128), (255, 256), (LARGEST, 1), (LARGEST, LARGEST), (2**255, 2**247)]
)
async def test_der_signature_becomes_two_numbers_side_by_side(run: Run, r: int, s: int) -> None:
    script = "return module.toBase64Url(module.toRawSignature(module.fromBase64Url(given)));"

    raw = await run("encoding", script, encode_base64url(encode_dss_signature(r, s)))

    assert raw == encode_base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30",
        b"\x30\x00",
        b"\x31\x06\x02\x01\x01\x02\x01\x01",
        b"\x30\x07\x02\x01\x01\x02\x01\x01",
        b"\x30\x06\x03\x01\x01\x02\x01\x01",
        b"\x30\x06\x02\x02\x01\x02\x01\x01",
        b"\x30\x05\x02\x00\x02\x01\x01",
        b"\x30\x07\x02\x01\x01\x02\x01\x01\x00",
        encode_dss_signature(2**256, 1),
    ],
    ids=lambda der: der[:10].hex() or "empty",
)
async def test_what_is_no_signature_of_this_curve_is_none(run: Run, der: bytes) -> None:
    assert await run("encoding", "return module.toRawSignature(new Uint8Array(given));", list(der)) is None


@pytest.mark.parametrize("text", ["====", "a", "+/", "a b", "ж"])
async def test_what_is_no_base64url_is_none(run: Run, text: str) -> None:
    assert await run("encoding", "return module.fromBase64Url(given);", text) is None


@pytest.mark.parametrize(
    ("minor", "currency", "language", "shown"),
    [
        ("1500000", "RUB", "ru", "15 000,00 ₽"),
        ("5", "RUB", "en", "₽0.05"),
        ("0", "RUB", "ru", "0,00 ₽"),
        ("1234", "JPY", "en", "¥1,234"),
        ("1234", "KWD", "en", "KWD 1.234"),
        # No number of JavaScript could hold this one.
        ("123456789012345678", "RUB", "ru", "1 234 567 890 123 456,78 ₽"),
        ("01", "RUB", "ru", None),
        ("-1", "RUB", "ru", None),
        ("1.5", "RUB", "ru", None),
        ("", "RUB", "ru", None),
        (100, "RUB", "ru", None),
        ("100", "rub", "ru", None),
        ("100", None, "ru", None),
    ],
)
async def test_amount_is_shown_exactly_or_not_at_all(
    run: Run, *, minor: Any, currency: str | None, language: str, shown: str | None
) -> None:
    given = [minor, currency, language]

    text = await run("amounts", "return module.formatAmount(...given);", given)

    assert (text and text.replace("\xa0", " ").replace("\u202f", " ")) == shown


@pytest.mark.parametrize(
    ("first", "second", "total"),
    [("9007199254740993", "9007199254740993", "18014398509481986"), ("1", "0", "1"), ("1", "x", None)],
)
async def test_total_is_exact(run: Run, first: str, second: str, total: str | None) -> None:
    assert await run("amounts", "return module.addMinor(...given);", [first, second]) == total
