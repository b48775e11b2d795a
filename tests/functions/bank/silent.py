"""A payment system that does not answer."""

from collections.abc import Sequence

from typing_extensions import override

from accounts.errors import GatewayUnavailable
from accounts.gateways.contract import Recipient
from accounts.gateways.demo import DemoGateway


class SilentGateway(DemoGateway):
    @override
    def find_recipients(self, phone: str) -> Sequence[Recipient]:
        raise GatewayUnavailable
