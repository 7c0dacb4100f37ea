"""Calls as they would be if their module were elsewhere, and what that would cost."""
