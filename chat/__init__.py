"""Conversations, the wire to phones, the turn engine and the GigaChat client."""
