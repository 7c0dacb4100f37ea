"""What orders offers."""
