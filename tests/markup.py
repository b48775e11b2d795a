"""What a strict Content-Security-Policy would block in a page."""

import re

INLINE = re.compile(
    r"""
    <style\b[^>]*>
  | \sstyle\s*=
  | <script\b(?![^>]*\bsrc=)[^>]*>
  | \son[a-z]+\s*=\s*["']
  | (?:href|src)="javascript:
    """,
    re.IGNORECASE | re.VERBOSE,
)


def find_inline_code(page: str) -> list[str]:
    """Return every inline style, inline script and event attribute of an HTML page."""
    return [match[0].strip() for match in INLINE.finditer(page)]
