"""A small world for the library's own tests: stock to hold, a card to charge, sales to make."""
