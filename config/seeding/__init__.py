"""A shop of any size out of numbers: the parts of `manage.py seed`.

`words` is the vocabulary, `goods` makes the product of a number, `purchases` the order of one,
`filling` hands them to the modules in batches. A number always gives the same, so that a run goes
on where another one stopped.
"""
