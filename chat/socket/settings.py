"""The limits of a socket, read from the settings once per process; docs/protocol.md lists them for phones."""

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class SocketSettings:
    """Times in seconds, sizes in bytes; `commands` per `commands_seconds`."""

    hello_seconds: float
    ping_seconds: float
    pong_seconds: float
    window_bytes: int
    window_frames: int
    window_full_seconds: float
    age_seconds: float
    expiry_notice_seconds: float
    expiry_grace_seconds: float
    sockets_per_customer: int
    commands: int
    commands_seconds: float
    acks_per_second: int = 10
    strikes: int = 3
    strikes_seconds: float = 60.0
    send_seconds: float = 10.0
    tick_seconds: float = 1.0
    first_frame_bytes: int = 8 * 1024


def read_socket_settings() -> SocketSettings:
    """Return the limits; ticks are fine enough for the shortest of them."""
    shortest = min(settings.WS_HELLO_SECONDS, settings.WS_PONG_SECONDS, settings.WS_WINDOW_FULL_SECONDS)
    return SocketSettings(
        hello_seconds=settings.WS_HELLO_SECONDS,
        ping_seconds=settings.WS_PING_SECONDS,
        pong_seconds=settings.WS_PONG_SECONDS,
        window_bytes=settings.WS_WINDOW_BYTES,
        window_frames=settings.WS_WINDOW_FRAMES,
        window_full_seconds=settings.WS_WINDOW_FULL_SECONDS,
        age_seconds=settings.WS_AGE_SECONDS,
        expiry_notice_seconds=settings.WS_EXPIRY_NOTICE_SECONDS,
        expiry_grace_seconds=settings.WS_EXPIRY_GRACE_SECONDS,
        sockets_per_customer=settings.WS_SOCKETS_PER_CUSTOMER,
        commands=settings.WS_COMMANDS,
        commands_seconds=settings.WS_COMMANDS_SECONDS,
        tick_seconds=min(1.0, shortest / 4),
    )
