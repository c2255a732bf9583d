"""Who may open which address: the whole matrix, and nothing else decides it.

AccessMiddleware enforces it and tests/test_pages.py drives every address ×
every persona from it. An address that is not listed here is open to nobody.
"""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser

from users.models import User
from users.roles import Role

NOBODY: frozenset[str] = frozenset()
PUBLIC = frozenset({"", "anonymous", *Role.values})
SIGNED_IN = frozenset({"", *Role.values})  # any account, also one without a role
EVERYONE = frozenset(Role.values)
MARKETING = frozenset({Role.MARKETER, Role.ADMIN})
SALES = frozenset({Role.REP, Role.MANAGER, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})
OPERATORS = frozenset({Role.MARKETER, Role.MANAGER, Role.ADMIN})

ACCESS: dict[str, frozenset[str]] = {
    "home": SIGNED_IN,
    "favicon": PUBLIC,
    "set_language": PUBLIC,
    "account_login": PUBLIC,
    "account_logout": PUBLIC,
    "account_signup": PUBLIC,
    "account_inactive": PUBLIC,
    "account_reset_password": PUBLIC,
    "account_reset_password_done": PUBLIC,
    "account_reset_password_from_key": PUBLIC,
    "account_reset_password_from_key_done": PUBLIC,
    "account_change_password": SIGNED_IN,
    "account_set_password": SIGNED_IN,
    "account_reauthenticate": SIGNED_IN,
    # allauth has them; here an admin looks after addresses.
    "account_email": NOBODY,
    "account_confirm_email": NOBODY,
    "account_email_verification_sent": NOBODY,
    "account_confirm_login_code": NOBODY,
    "insights:funnel": EVERYONE,
    "insights:funnel_csv": EVERYONE,
    "insights:reasons": EVERYONE,
    "insights:leads": EVERYONE,
    "insights:leads_csv": EVERYONE,
    "traffic:traffic": MARKETING,
    "traffic:csv": MARKETING,
    "traffic:visits": MARKETING,
    "traffic:visits_csv": MARKETING,
    "traffic:leads": MARKETING,
    "traffic:leads_csv": MARKETING,
    "leads:list": EVERYONE,
    "leads:export": EVERYONE,
    "leads:new": EVERYONE,
    "leads:lead": EVERYONE,
    "leads:edit": EVERYONE,
    "leads:timeline": EVERYONE,
    "leads:timeline_group": EVERYONE,
    "leads:transitions": EVERYONE,
    "leads:assignment": frozenset({Role.MANAGER, Role.ADMIN}),
    "leads:buying_roles": EVERYONE,
    "leads:buying_role_removal": EVERYONE,
    "leads:consents": EVERYONE,
    "leads:by_public_id": EVERYONE,
    "leads:merge": OPERATORS,
    "leads:merged": OPERATORS,
    "leads:unmerge": OPERATORS,
    "leads:duplicates": OPERATORS,
    "leads:duplicate_dismissal": OPERATORS,
    "accounts:list": EVERYONE,
    "accounts:account": EVERYONE,
    "accounts:suggestions": EVERYONE,
    "imports:list": MARKETING,
    "imports:import": MARKETING,
    "imports:mapping": MARKETING,
    "imports:beginning": MARKETING,
    "imports:check": MARKETING,
    "imports:run": MARKETING,
    "imports:cancellation": MARKETING,
    "imports:next_attempt": MARKETING,
    "imports:report": MARKETING,
    "sales:inbox": SALES,
    "sales:handoff": SALES,
    "sales:decision": SALES,
    "sales:assignment": SALES,
    "sales:pipeline": SALES,
    "sales:customers": EVERYONE,
    "sales:lead_panel": EVERYONE,
    "sales:proposal": frozenset({Role.MARKETER, Role.MANAGER, Role.ADMIN}),
    "sales:bant": SALES,
    "sales:opportunity": SALES,
    "sales:outcome": SALES,
    "scoring:model": EVERYONE,
    "scoring:version": EVERYONE,
    "scoring:version_reviews": OPERATORS,
    "scoring:version_signatures": frozenset({Role.MARKETER, Role.MANAGER}),
    "scoring:version_publications": ADMINS,
    "scoring:explanation": EVERYONE,
    "scoring:ledger_csv": EVERYONE,
    "scoring:prediction": EVERYONE,
    "scoring:prediction_training": ADMINS,
    "scoring:prediction_override": EVERYONE,
    "scoring:prediction_override_end": EVERYONE,
    "scoring:training": MARKETING,
    "scoring:training_next_attempt": MARKETING,
    "scoring:workbench": MARKETING,
    "scoring:workbench_file": MARKETING,
    "scoring:quadrants": EVERYONE,
    "scoring:quadrant_picture": EVERYONE,
    "scoring:quadrant_leads": EVERYONE,
    # Who signs a version looks first at what it would change, and how it would have done.
    "scoring:preview": OPERATORS,
    "scoring:preview_leads": OPERATORS,
    "scoring:backtest": OPERATORS,
    "review:review": OPERATORS,
    "review:draft": ADMINS,
    "tracking:sources": MARKETING,
    "tracking:verdicts": MARKETING,
    "tracking:verdict_event": MARKETING,
    "tracking:verdict_rule_new": MARKETING,
    "tracking:verdict_rule_end": MARKETING,
    "tracking:verdict_run_resume": MARKETING,
    "tracking:keys": MARKETING,
    "tracking:key": MARKETING,
    "tracking:secret_key": MARKETING,
    "tracking:rotation": MARKETING,
    "tracking:revocation": MARKETING,
    "tracking:install": MARKETING,
    "tracking:received": MARKETING,
    "tracking:messages": MARKETING,
    "tracking:message": MARKETING,
    "tracking:books": MARKETING,
    "tracking:retention": MARKETING,
    "tracking:retention_settings": ADMINS,
    "tracking:touchpoints": EVERYONE,
    "tracking:channels": MARKETING,
    "tracking:channel_rule_new": MARKETING,
    "tracking:channel_rule": MARKETING,
    "tracking:channel_rule_place": MARKETING,
    "tracking:channel_rule_removal": MARKETING,
    # They ask for a key or a session themselves, and answer in JSON (scoring/api.py).
    "api:lead_score": PUBLIC,
    "api:openapi-json": PUBLIC,
    "api:api-root": NOBODY,
    # The Django admin: every address under it.
    "admin:*": ADMINS,
}


def roles_for(view_name: str) -> frozenset[str]:
    """The roles that may open the address with this URL name; empty when it is not listed."""
    namespace = view_name.split(":")[0]
    return ACCESS.get(view_name) or ACCESS.get(f"{namespace}:*", frozenset())


def may_open(user: User | AnonymousUser, view_name: str) -> bool:
    """Whether this user may open the address with this URL name."""
    role = user.role if isinstance(user, User) else "anonymous"
    return role in roles_for(view_name)
