"""The rule set that stands in for the model: deterministic, Russian and English, about one demo bank."""
