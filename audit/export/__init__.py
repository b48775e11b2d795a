"""Exports of the evidence log: what is chosen, how a row is written, and the stream itself."""
