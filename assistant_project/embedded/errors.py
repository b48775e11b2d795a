"""The one error of the embedded start."""


class StartRefused(Exception):
    """Something the machine lacks or forbids; the text is one line for the person at the terminal."""
