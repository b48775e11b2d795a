"""Python's garbage collector in a process that lives for weeks; called once by the commands that start one."""

import gc

# New containers between two collections. Python's 700 are used up by a few packets of a fast stream.
YOUNG_OBJECTS = 10_000


def spare_loaded_objects() -> None:
    """Take everything loaded so far out of what the collector looks at, and let it look less often.

    Modules, models and settings are never freed, but each full collection walks through all of them: a tenth of a
    second in which no phone hears anything, every few seconds while answers stream.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
