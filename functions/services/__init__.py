"""What the functions app writes; every act inside its caller's transaction."""
