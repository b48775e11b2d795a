"""What the model may ask the bank for, and under which conditions."""
