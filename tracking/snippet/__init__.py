"""The tracking snippet t.js and how it is served; see docs/snippet.md.

t.js          the script itself
serving.py    its addresses, as raw ASGI beside the collector
"""
