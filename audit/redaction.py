"""Masks secrets and personal data in free text. Pure; the last step of every log line.

One pass over one pattern. Ids and times are matched first and left alone, so that a log stays searchable; everything
else that could be a token, a card, an account, a document, a phone or an address becomes a label. It errs towards
masking: a long number in a log is worth less than a card in it. Every repetition is bounded or can start only where
the one before it cannot, so that hostile text takes linear time.
"""

import re

KINDS = ("uuid", "time", "token", "secret", "email", "phone", "digits")
KEPT = ("uuid", "time")

PATTERN = re.compile(
    r"""
    (?P<uuid>\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)
  | (?P<time>\b[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T\ ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?)?(?![0-9]))
  | (?P<token>
        \b(?:bearer|basic)\s+[\w.~+/=-]+
      | (?<![\w-])eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?
      | (?<![\w+=-])(?-i:(?=[\w+=-]{0,512}[0-9])(?=[\w+=-]{0,512}[A-Z])(?=[\w+=-]{0,512}[a-z]))[A-Za-z0-9_+=-]{32,}
    )
  | (?P<secret>
        (?P<name>password|passwd|secret|token|credentials?|authorization|api[_-]?key|cookie|sessionid)
        (?P<glue>["']?\s*[:=]\s*["']?)
        (?:(?:bearer|basic)\s+)?[^\s"',;&}\])]+
    )
  | (?P<email>[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+)
  | (?P<phone>
        (?<![\w.])\+[0-9](?:[\s().-]{0,3}[0-9]){8,14}(?![0-9])
      | (?<![\w.+-])[78][\s(-]{0,2}[0-9]{3}[\s)-]{0,2}[0-9]{3}[\s-]?[0-9]{2}[\s-]?[0-9]{2}(?![0-9])
    )
  | (?P<digits>
        (?<![0-9])[0-9]{4}(?P<gap>[\s-])[0-9]{4}(?P=gap)[0-9]{4}(?P=gap)[0-9]{1,7}(?![0-9])
      | (?<![0-9])[0-9]{4}[\s-][0-9]{6}(?![0-9])
      | (?<![0-9])[0-9]{3}-[0-9]{3}-[0-9]{3}[\s-][0-9]{2}(?![0-9])
      | (?<![0-9])[0-9]{5}[\s.][0-9]{3}[\s.][0-9][\s.][0-9]{4}[\s.][0-9]{7}(?![0-9])
      | \d{9,}
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)


def redact_text(text: str) -> str:
    """Return `text` with everything that looks secret or personal replaced by a label such as `[phone]`."""
    return PATTERN.sub(replace_match, text)


def replace_match(match: re.Match[str]) -> str:
    kind = next(name for name in KINDS if match[name] is not None)
    if kind in KEPT:
        return match[0]
    if kind == "secret":
        return f"{match['name']}{match['glue']}[secret]"
    return f"[{kind}]"
