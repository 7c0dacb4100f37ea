"""Stock on hand and the holds placed on it.

Owns quantities. Refuses to know products, prices and customers: a SKU is only a name here.
Invariants: stock is never below zero, however many buy at once; on hand, held and taken add up;
a hold that nobody takes in time gives its stock back.
"""
