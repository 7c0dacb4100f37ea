"""Taking over a catalogue from Shopify's product export: the parts of `manage.py import_catalog`.

`rows` reads the file, `columns` knows its columns, `grouping` puts the rows of a product together,
`products` turns them into what the modules take, `markup` and `pictures` make descriptions and
images safe, `loading` hands everything to the modules, `report` says what happened.
"""
