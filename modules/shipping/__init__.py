"""What delivery costs, and the shipments of paid orders.

Owns rates and shipments. Refuses to know prices, payments and stock: an order is an id and a list
of what goes into the box. Invariants: an order has one shipment; the carrier gets a parcel once,
however often it is asked; a shipment is handed over or cancelled, never both, and a cancellation
also stops a booking that comes after it.
"""
