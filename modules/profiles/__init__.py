"""What the shop knows of a customer: a name, how to reach them, and where parcels go.

Owns customer data, by the user's id. Refuses to know who signs in and how, and what was ordered: an
order keeps a copy of the address it went to. Invariants: a customer has at most twenty addresses,
and exactly one of them is the default while there is any; what is forgotten is gone.
"""
