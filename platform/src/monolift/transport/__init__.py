"""How a call reaches its module: directly (local), or in process through the codec (loopback)."""
