"""The turn engine: claims queued turns, asks the model, commits every piece of the answer. Knows no sockets."""
