"""The truth row: where modules run now, whatever the file said at the start."""
