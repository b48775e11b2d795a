#!/usr/bin/env python
"""Django's command line for this project."""

import gc
import os
import sys

# Loading makes a million objects that stay: collecting every 700 of them is a tenth of the time a start takes.
gc.set_threshold(50_000)

if sys.version_info < (3, 11):  # noqa: UP036 - the one file that an older Python may read
    sys.exit(f"error: Python 3.11 or newer is needed, this is {sys.version.split()[0]}")

try:
    import uvloop
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
except ModuleNotFoundError as error:
    sys.exit(f"error: the package {error.name} is missing; `make run` installs everything")


def use_fast_loop() -> None:
    """Make the event loop uvloop. Daphne creates its loop while Django loads, so a command would come too late."""
    uvloop.install()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "assistant_project.settings")
    if sys.argv[1:2] == ["serve"]:
        use_fast_loop()
    try:
        settings.INSTALLED_APPS  # noqa: B018 - the first access reads the settings
    except ImproperlyConfigured as error:
        sys.exit(f"error: {error}")
    execute_from_command_line(sys.argv)
