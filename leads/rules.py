"""Pure decisions about who may move a lead where."""

from leads.stages import Stage
from users.roles import Role

# Marketing works a lead until it is proposed to sales; sales from then on.
MARKETING_STAGES = (Stage.LEAD, Stage.QUALIFIED)
_MARKETING = frozenset({Role.MARKETER, Role.ADMIN})
_SALES = frozenset({Role.REP, Role.MANAGER, Role.ADMIN})


def roles_that_move(from_stage: str, to_stage: str) -> frozenset[str]:
    """The roles that may move a lead from `from_stage` to `to_stage` by hand."""
    if from_stage in MARKETING_STAGES:
        return _MARKETING | {Role.MANAGER}
    if to_stage == Stage.QUALIFIED and from_stage not in (Stage.MQL, Stage.SAL, Stage.SQL):
        return _MARKETING | _SALES  # a new cycle
    return _SALES


def roles_that_override(from_stage: str) -> frozenset[str]:
    """The roles that may, giving a reason, move a lead past criteria that are not met."""
    owner = Role.MARKETER if from_stage in MARKETING_STAGES else Role.MANAGER
    return frozenset({owner, Role.MANAGER, Role.ADMIN})
