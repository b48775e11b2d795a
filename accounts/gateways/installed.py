"""The payment gateway of this installation, named by PAYMENT_GATEWAY; one per process."""

from functools import lru_cache

from django.conf import settings
from django.utils.module_loading import import_string

from accounts.gateways.contract import PaymentGateway


def get_gateway() -> PaymentGateway:
    """Return the installed gateway.

    Raises: ImportError when PAYMENT_GATEWAY names nothing
    """
    return load_gateway(settings.PAYMENT_GATEWAY)


@lru_cache(maxsize=4)
def load_gateway(name: str) -> PaymentGateway:
    gateway: PaymentGateway = import_string(name)()
    return gateway
