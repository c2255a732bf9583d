"""Made-up histories whose truth is known."""

from __future__ import annotations

import numpy as np

from scoring.prediction.tables import Table


def history(rows: int = 900, *, strength: float = 2.0, seed: int = 1) -> Table:
    """Outcome by visits, country and whether a phone is known; `noise` says nothing.

    `strength` 0: nothing says anything.
    """
    chance = np.random.default_rng(seed)
    visits = chance.poisson(4, rows).astype(float)
    country = chance.choice(["DE", "FR", "KR"], rows)
    phone = chance.random(rows) < 0.5
    drive = 0.5 * (visits - 4) + np.where(country == "DE", 1.0, -0.3) + np.where(phone, 0.5, -0.5)
    odds = strength * drive - 0.5
    labels = chance.random(rows) < 1 / (1 + np.exp(-odds))
    return Table(
        columns={
            "visits": [float(v) if chance.random() > 0.1 else None for v in visits],
            "country": [str(c) for c in country],
            "phone": ["+49 1" if p else "" for p in phone],
            "noise": [str(c) for c in chance.choice(list("abcd"), rows)],
        },
        labels=[int(x) for x in labels],
        order=[float(i) for i in range(rows)],
    )
