"""`python -m tests.bench`: this server beside a bare relay, in one run. docs/performance.md says what the figures mean.

Not collected by pytest: it measures, and what it measures depends on the machine.
"""
