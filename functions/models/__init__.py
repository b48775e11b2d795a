"""What the functions app stores."""

from functions.models.call import FunctionCall
from functions.models.confirmation import Confirmation
from functions.models.handle import Handle

__all__ = ["Confirmation", "FunctionCall", "Handle"]
