"""Which models each host serves, and what each can do."""

from dataclasses import dataclass
from typing import Any

from chat.gigachat.sandbox.errors import ApiError
from chat.gigachat.sandbox.settings import HostProfile

CONTEXT_TOKENS = 131_072


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """`version` follows the name after a colon in every completion; `type` is the service's word."""

    name: str
    type: str = "chat"
    version: str = "2.0.28.2"
    can_see: bool = False
    can_call: bool = True
    vector_size: int = 0

    @property
    def echo(self) -> str:
        return f"{self.name}:{self.version}"

    def to_json(self) -> dict[str, Any]:
        return {"id": self.name, "object": "model", "owned_by": "salutedevices", "type": self.type}


_EMBEDDERS = (
    ModelInfo("Embeddings", "embedder", vector_size=1024),
    ModelInfo("Embeddings-2", "embedder", vector_size=1024),
    ModelInfo("EmbeddingsGigaR", "embedder", vector_size=2560),
    ModelInfo("GigaEmbeddings-3B-2025-09", "embedder", vector_size=2048),
)
# Source: live list of an individual's account on the new host, August 2026.
_NEW = (
    ModelInfo("GigaChat-2"),
    ModelInfo("GigaChat-2-Pro", can_see=True),
    ModelInfo("GigaChat-2-Max", can_see=True),
    ModelInfo("GigaChat-3-Ultra", version="32.3.18.5", can_see=True),
    *_EMBEDDERS,
)
# Source: recording of 21 January 2026; the encoded list is 1724 bytes long, as recorded.
_LEGACY = (
    ModelInfo("GigaChat"),
    ModelInfo("GigaChat-2"),
    ModelInfo("GigaChat-2-Max", can_see=True),
    ModelInfo("GigaChat-2-Max-preview", can_see=True),
    ModelInfo("GigaChat-2-Pro", can_see=True),
    ModelInfo("GigaChat-2-Pro-preview", can_see=True),
    ModelInfo("GigaChat-2-preview"),
    ModelInfo("GigaChat-Max", can_see=True),
    ModelInfo("GigaChat-Max-preview", can_see=True),
    ModelInfo("GigaChat-Plus", can_call=False),
    ModelInfo("GigaChat-Pro", can_see=True),
    ModelInfo("GigaChat-Pro-preview", can_see=True),
    ModelInfo("GigaChat-preview"),
    ModelInfo("GigaFilter", "filter"),
    ModelInfo("GigaCheckClassification", "aicheck"),
    ModelInfo("GigaCheckDetection", "aicheck"),
    *_EMBEDDERS,
)


class Catalogue:
    def __init__(self, profile: HostProfile) -> None:
        models = _NEW if profile is HostProfile.NEW else _LEGACY
        self._models = {model.name: model for model in models}

    def list_models(self) -> list[ModelInfo]:
        return list(self._models.values())

    def get(self, name: str) -> ModelInfo:
        """Raises: ApiError 404"""
        model = self._models.get(name)
        if model is None:
            raise ApiError(404, "No such model")
        return model

    def get_of_type(self, name: str, kind: str) -> ModelInfo:
        """Raises: ApiError 404, also for a model of another type"""
        model = self.get(name)
        if model.type != kind:
            raise ApiError(404, "No such model")
        return model
