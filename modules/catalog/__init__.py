"""What is for sale: products and their variants.

Owns descriptions, options and SKUs. Refuses to decide prices (it shows pricing's) and to know
stock. Invariants: a SKU belongs to one variant for ever; a slug names one product.
"""
