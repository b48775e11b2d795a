import base64
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from chat.errors import FileUnreadable
from chat.files.encryption import DERIVED_KEY_ID, MARK, decrypt_content, encrypt_content, get_keys

CONTENT = "Паспорт 45 07 123456".encode()
OLD = "2025:" + base64.b64encode(b"o" * 32).decode()
NEW = "2026:" + base64.b64encode(b"n" * 32).decode()


def test_encrypt_content_hides_it_and_decrypt_content_returns_it() -> None:
    file_id = uuid4()

    stored = encrypt_content(CONTENT, file_id)

    assert CONTENT not in stored
    assert stored.startswith(MARK + bytes([len(DERIVED_KEY_ID)]) + DERIVED_KEY_ID.encode())
    assert decrypt_content(stored, file_id) == CONTENT


def test_encrypt_content_twice_looks_different() -> None:
    file_id = uuid4()

    assert encrypt_content(CONTENT, file_id) != encrypt_content(CONTENT, file_id)


def test_decrypt_content_under_another_id_fails_closed() -> None:
    with pytest.raises(FileUnreadable):
        decrypt_content(encrypt_content(CONTENT, uuid4()), uuid4())


def test_decrypt_content_with_any_byte_changed_fails_closed() -> None:
    file_id = uuid4()
    stored = encrypt_content(CONTENT, file_id)

    for at in range(len(stored)):
        with pytest.raises(FileUnreadable):
            decrypt_content(stored[:at] + bytes([stored[at] ^ 1]) + stored[at + 1 :], file_id)


def test_decrypt_content_cut_anywhere_fails_closed() -> None:
    file_id = uuid4()
    stored = encrypt_content(CONTENT, file_id)

    for length in range(len(stored)):
        with pytest.raises(FileUnreadable):
            decrypt_content(stored[:length], file_id)


def test_decrypt_content_after_rotation_knows_both_keys(settings: Settings) -> None:
    file_id = uuid4()
    settings.FILE_ENCRYPTION_KEYS = OLD
    old = encrypt_content(CONTENT, file_id)
    settings.FILE_ENCRYPTION_KEYS = f"{NEW} {OLD}"
    new = encrypt_content(CONTENT, file_id)

    assert (decrypt_content(old, file_id), decrypt_content(new, file_id)) == (CONTENT, CONTENT)
    assert b"2026" in new[:12]
    settings.FILE_ENCRYPTION_KEYS = NEW
    with pytest.raises(FileUnreadable, match="known key"):
        decrypt_content(old, file_id)


def test_decrypt_content_with_another_secret_fails_closed(settings: Settings) -> None:
    file_id = uuid4()
    stored = encrypt_content(CONTENT, file_id)
    settings.SECRET_KEY = "another"

    with pytest.raises(FileUnreadable):
        decrypt_content(stored, file_id)


@pytest.mark.parametrize(
    "configured",
    [
        "no-colon",
        "2026-key:",
        "id:!!!",
        f"id:{base64.b64encode(b'x' * 31).decode()}",
        f"bad/id:{base64.b64encode(b'x' * 32).decode()}",
        f":{base64.b64encode(b'x' * 32).decode()}",
    ],
)
def test_get_keys_refuses_a_wrong_setting_without_repeating_it(settings: Settings, configured: str) -> None:
    settings.FILE_ENCRYPTION_KEYS = configured

    with pytest.raises(ImproperlyConfigured) as caught:
        get_keys()

    assert configured not in str(caught.value)
