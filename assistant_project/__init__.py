"""Settings and wiring; nothing imports it."""
