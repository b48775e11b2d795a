"""What the accounts app stores."""

from accounts.models.customer import Customer
from accounts.models.session import DeviceSession, RefreshToken

__all__ = ["Customer", "DeviceSession", "RefreshToken"]
