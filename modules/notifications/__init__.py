"""Mail about orders, and to the shop about its stock.

Owns what was to be mailed and whether it was. Refuses to know why something happened: it repeats
what events tell, and asks orders what was bought. Invariants: one mail for each event; an address
is kept only until its mail is sent.
"""
