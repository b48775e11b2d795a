"""The evidence log: append-only entries; the lowest app, imports nothing of ours."""
