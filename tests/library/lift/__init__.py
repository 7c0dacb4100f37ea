"""Lifting modules: what moves their rows, and what keeps writers out meanwhile."""
