from pathlib import Path

from django.conf import settings
from django.utils import translation

from accounts.enums import Language, RevokeReason
from accounts.models import Customer, DeviceSession

CATALOGUE = Path(settings.BASE_DIR) / "accounts" / "locale" / "ru" / "LC_MESSAGES" / "django.po"


def test_catalogue_leaves_nothing_untranslated() -> None:
    text = CATALOGUE.read_text(encoding="utf-8")
    blocks = [block for block in text.split("\n\n")[1:] if block.strip()]
    assert blocks
    assert [block for block in blocks if block.rstrip().endswith('msgstr ""')] == []


def test_staff_reads_russian_and_english() -> None:
    labels = {
        "ru": ("клиенты", "сеансы устройств", "выход", "русский"),
        "en": ("customers", "device sessions", "logout", "Russian"),
    }
    for language, expected in labels.items():
        with translation.override(language):
            found = (
                str(Customer._meta.verbose_name_plural),
                str(DeviceSession._meta.verbose_name_plural),
                str(RevokeReason.LOGOUT.label),
                str(Language.RUSSIAN.label),
            )
        assert found == expected
