"""From a plan to the customer's yes to the money."""
