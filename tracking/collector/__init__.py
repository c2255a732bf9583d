"""The tracking API: a small ASGI application beside Django.

bodies.py   read the request, within limits of size and time
keys.py     whose write key is it
reading.py  from a body to prepared rows
writer.py   all waiting requests → one commit → all answers
copying.py  large groups by COPY
app.py      the addresses and what each answers
status.py   /livez, /readyz, /metrics
"""
