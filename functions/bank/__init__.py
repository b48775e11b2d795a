"""The functions that are offered, by what they are about."""
