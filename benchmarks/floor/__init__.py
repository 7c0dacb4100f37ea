"""A checkout as one writes it by hand, with no library: the lower limit, not a target.

The same business content as the shop's: a basket of lines, a price check, stock taken by
conditional updates, a payment, an order with its lines, an outbox row. One database, one
transaction for placing, no offers, no holds, no retries.
"""
