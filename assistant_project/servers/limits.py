"""What both servers are told about sockets; docs/protocol.md promises the same numbers to phones."""

FRAME_BYTES = 64 * 1024
PING_INTERVAL_SECONDS = 30
PING_TIMEOUT_SECONDS = 30
HANDSHAKE_SECONDS = 5
# Longest wait for the application's own drain and for answers that are still running.
STOP_SECONDS = 60
CANCEL_SECONDS = 5
