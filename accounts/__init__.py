"""The bank: customers and their sessions; knows nothing of chat or models."""
