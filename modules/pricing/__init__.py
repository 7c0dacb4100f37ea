"""What things cost: list prices per currency, promotions, tax by destination.

Owns every number a customer is asked to pay. Refuses to know products, stock or customers: a SKU is
only a name here. Invariants: amounts are `Money`; each line is rounded once, and the total is
exactly the sum of the rounded lines.
"""
