"""What both servers are told about sockets; docs/protocol.md promises the same numbers to phones."""

FRAME_BYTES = 64 * 1024
PING_INTERVAL_SECONDS = 30
PING_TIMEOUT_SECONDS = 30
HANDSHAKE_SECONDS = 5
# What the application may need beyond its own drain and the grace of running answers.
STOP_MARGIN_SECONDS = 10
CANCEL_SECONDS = 5
