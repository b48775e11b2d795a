"""What both servers are told about sockets and bodies; docs/protocol.md promises the same numbers to phones."""

FRAME_BYTES = 64 * 1024
# The largest body of any HTTP path: one file and the multipart around it.
BODY_BYTES = 40 * 1024 * 1024 + 64 * 1024
PING_INTERVAL_SECONDS = 30
PING_TIMEOUT_SECONDS = 30
HANDSHAKE_SECONDS = 5
# What the application may need beyond its own drain and the grace of running answers.
STOP_MARGIN_SECONDS = 10
CANCEL_SECONDS = 5
