"""What short calls to GigaChat return, in our words. File names stay out of every `repr`: customers choose them."""

from dataclasses import dataclass, field

CHAT_KIND = "chat"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """`kind` is the service's word: chat, aicheck, embedder, filter."""

    name: str
    kind: str
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCount:
    tokens: int
    characters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageBalance:
    """Prepaid tokens left of one model, for the whole account."""

    model: str
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """A file at the provider; `created_at` is the second of the Unix epoch, 0 when it sent none."""

    file_id: str
    size_bytes: int
    created_at: int
    filename: str = field(default="", repr=False)
    purpose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionFault:
    """One finding about a function's definition; `location` is a path in it."""

    text: str
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionReport:
    """What the service thinks of a definition; `is_valid` without errors, warnings or not."""

    is_valid: bool
    errors: tuple[FunctionFault, ...]
    warnings: tuple[FunctionFault, ...]
