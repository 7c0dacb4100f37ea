"""Pages and diagrams that are generated from what the installed modules declare."""
