"""How often one customer may ask the REST API: generous, against programs gone wild rather than people."""

import logging

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from typing_extensions import override

from accounts.errors import ThrottleUnavailable
from accounts.throttles import Window, build_window, count_hit
from accounts.tokens import AccessClaims

logger = logging.getLogger(__name__)
WINDOW_SECONDS = 60


class CustomerThrottle(BaseThrottle):
    """API_REQUESTS_PER_MINUTE for each customer, all devices together; lets everybody in while the cache is away."""

    window: Window | None = None

    @override
    def allow_request(self, request: Request, view: object) -> bool:
        if not isinstance(request.auth, AccessClaims):
            return True
        self.window = build_window(
            "api", str(request.auth.customer_id), limit=settings.API_REQUESTS_PER_MINUTE, seconds=WINDOW_SECONDS
        )
        try:
            return count_hit(self.window) <= self.window.limit
        except ThrottleUnavailable:
            logger.warning("requests are not throttled: the cache does not answer")
            return True

    @override
    def wait(self) -> float | None:
        return self.window.count_seconds_left() if self.window else None
