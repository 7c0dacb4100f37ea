"""What is for sale: categories, products and their variants.

Owns descriptions, options, pictures and SKUs. Refuses to decide prices (it shows pricing's) and to
know stock. Invariants: a SKU belongs to one product for ever; a slug names one product; categories
have two levels.
"""
