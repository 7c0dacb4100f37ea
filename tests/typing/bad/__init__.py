"""Every marked line is an error, and no other line is."""
