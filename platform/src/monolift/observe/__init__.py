"""What happens between modules: the call matrix, trace context, structured logs."""
