"""What is the state of the platform, and how a person reads it."""
