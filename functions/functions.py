"""The functions of this app: importing a module of `functions.bank` registers what it holds.

Any other installed app may have a `functions` module of its own; all are imported at start, like `admin` modules.
"""

from importlib import import_module
from pkgutil import iter_modules

from functions import bank

for found in iter_modules(bank.__path__, prefix="functions.bank."):
    import_module(found.name)
