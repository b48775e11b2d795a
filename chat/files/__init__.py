"""What a customer's file must be before it is kept, and how it is kept: content alone decides, and it is encrypted."""
