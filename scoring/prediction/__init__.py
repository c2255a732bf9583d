"""The predictive score: a calibrated probability beside the rule score, or an honest "off".

Only tasks and commands import what needs numpy and scikit-learn; pages read stored JSON.
"""
