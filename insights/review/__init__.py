"""Review of the scoring model: its rules against what sales decided and what came of it.

Only tasks import what needs numpy and scikit-learn; pages read stored JSON.
"""
