import pytest

from chat.gigachat.errors import FileFormatRefused, FileTooLarge
from chat.gigachat.types import AttachmentKind
from chat.gigachat.uploads import DOCUMENT_MIMES, IMAGE_MIMES, MAX_DOCUMENT_BYTES, MAX_IMAGE_BYTES, verify_upload


@pytest.mark.parametrize("mime", sorted(IMAGE_MIMES))
def test_verify_upload_of_image_up_to_its_limit_passes(mime: str) -> None:
    assert verify_upload(MAX_IMAGE_BYTES, mime) is AttachmentKind.IMAGE
    with pytest.raises(FileTooLarge):
        verify_upload(MAX_IMAGE_BYTES + 1, mime)


@pytest.mark.parametrize("mime", sorted(DOCUMENT_MIMES))
def test_verify_upload_of_document_up_to_its_limit_passes(mime: str) -> None:
    assert verify_upload(MAX_DOCUMENT_BYTES, mime) is AttachmentKind.DOCUMENT
    with pytest.raises(FileTooLarge):
        verify_upload(MAX_DOCUMENT_BYTES + 1, mime)


@pytest.mark.parametrize("mime", ["", "image/gif", "application/zip", "text/html", "audio/mpeg"])
def test_verify_upload_of_another_format_is_refused(mime: str) -> None:
    with pytest.raises(FileFormatRefused):
        verify_upload(1, mime)
