"""What the model may ask of the bank, and how money moves only by the customer's yes."""
