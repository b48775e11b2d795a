"""What a long-lived process tells the garbage collector."""

import subprocess
import sys

# In a process of its own: the collector is the whole process's.
SCRIPT = """
import gc
from chat.collector import YOUNG_OBJECTS, spare_loaded_objects

loaded = [[] for _ in range(1000)]
spare_loaded_objects()
assert gc.get_freeze_count() > 1000
assert gc.get_threshold()[0] == YOUNG_OBJECTS
assert not any(found is loaded for found in gc.get_objects())
cycle = []
cycle.append(cycle)
del cycle
assert gc.collect() >= 1, "what comes later is still collected"
print("done")
"""


def test_spare_loaded_objects_freezes_what_is_there_and_still_collects_what_comes() -> None:
    answer = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=30, check=False)

    assert (answer.stdout.strip(), answer.stderr) == ("done", "")
