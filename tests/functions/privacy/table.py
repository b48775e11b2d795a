"""A table of placeholders that needs no database: it numbers values as `functions.handles.HandleTable` does."""

from functions.enums import HandleKind


class MemoryTable:
    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def mint_value(self, kind: HandleKind, value: str) -> str:
        for handle, known in self.values.items():
            if known == value and handle.startswith(f"{kind.value}_"):
                return handle
        number = 1 + sum(handle.startswith(f"{kind.value}_") for handle in self.values)
        self.values[f"{kind.value}_{number}"] = value
        return f"{kind.value}_{number}"

    def read_value(self, text: str) -> str | None:
        return self.values.get(text)
