"""What the import is made of. The verbs are in leads/importing.py; the order of reading:

reading (bytes → rows), profile (what each column holds), mapping (column → field),
values and dates (cell → value), history (dates → episodes), targets (what rows become),
report (what could not be done).
"""
