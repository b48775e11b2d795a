"""What this process counts of answers, for /metrics; plain numbers, changed on the event loop only."""

from collections import Counter

# checked, unsupported (had figures nothing supports), rewritten (by the model), rendered (by us)
ANSWERS_BY_FIGURES: Counter[str] = Counter()
# Placeholders of answers that stood for nothing and were left out; calls that nobody could read.
ODDITIES: Counter[str] = Counter()
