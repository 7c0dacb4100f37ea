"""Money taken and given back, through a payment provider.

Owns payments and the ledger. Refuses to see card numbers beyond the provider's door: a card is a
token everywhere else. Invariants: the ledger balances after every entry; a payment is captured at
most once; refunds never exceed what was captured.
"""
