"""What the model's provider must not read, and what the model must not invent."""
