"""Human or machine? A verdict on every event, with the signals that led to it.

evidence.py   what a request says about itself, at ingest; plain rules on plain values
weighing.py   from signals to a verdict
settling.py   what lists and rules of people add to it, before anything follows
behaviour.py  what only shows beside other events, found in the background (checking.py)
restating.py  a verdict changes: everything that followed from it is set right
refinding.py  the same, looked for anew when a threshold was edited (previewing.py: beforehand)
ruling.py     a marketer overrules by a rule; running.py goes through all stored events
"""

from tracking.verdicts.evidence import Request, browser_of, is_crawler, signals_of
from tracking.verdicts.weighing import HUMAN, MACHINE, STAFF, SUSPECTED, weigh

__all__ = [
    "HUMAN",
    "MACHINE",
    "STAFF",
    "SUSPECTED",
    "Request",
    "browser_of",
    "is_crawler",
    "signals_of",
    "weigh",
]
