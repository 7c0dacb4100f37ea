"""Events and tasks: outbox, deliveries, relay, and what runs them."""
