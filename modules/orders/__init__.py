"""Baskets, orders, and the Checkout that turns one into the other.

Owns the customer's intent to buy and its outcome. Refuses to compute prices, count stock or touch
cards. Invariants: an order is paid in full or does not exist as paid; its lines and total never
change after it is placed; one basket becomes at most one order.
"""
