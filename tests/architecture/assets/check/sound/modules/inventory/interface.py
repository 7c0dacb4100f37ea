"""What inventory offers."""
