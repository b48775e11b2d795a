"""Deterministic embeddings: texts that share words point in similar directions, nothing more is promised."""

import hashlib
import math
import re

_WORD = re.compile(r"\w+")
_STEM = 5


def embed_text(text: str, model: str, *, size: int) -> list[float]:
    """Return a unit vector of `size` numbers: the sum of one pseudo-random direction per word stem."""
    stems = [word[:_STEM] for word in _WORD.findall(text.lower())] or [""]
    totals = [0] * size
    for stem in stems:
        noise = hashlib.shake_128(f"{model}\0{stem}".encode()).digest(size)
        totals = [total + byte - 128 for total, byte in zip(totals, noise, strict=True)]
    length = math.sqrt(sum(total * total for total in totals)) or 1.0
    return [round(total / length, 6) for total in totals]
