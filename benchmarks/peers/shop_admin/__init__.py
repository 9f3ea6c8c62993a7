"""Django's admin over the same orders, as its documentation recommends to set one up.

Filters, search, a hierarchy of dates, lines within the order, actions of which one asks for a reason, an
entry in the object's history for each, and an export.
"""
