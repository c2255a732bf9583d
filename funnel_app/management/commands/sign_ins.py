"""`manage.py sign_ins`: with whose name and password to look around in the demo data."""

from typing import Any

from django.core.management.base import BaseCommand

from funnel_app.demo.company import COLLEAGUES, DEMO_PASSWORD
from users.models import User
from users.roles import Role


class Command(BaseCommand):
    """Prints one demo person of each role, as long as the demo password still opens the door."""

    help = "Prints the sign-ins of the demo data, or how to make a first administrator."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        people = [person for role in Role if (person := self._first_with(role))]
        if not people:
            self.stdout.write("Nobody can sign in yet: .venv/bin/python manage.py createsuperuser")
            return
        for person in people:
            label = str(Role(person.role).label)
            self.stdout.write(f"  {label:15} {person.email:22} password: {DEMO_PASSWORD}")

    def _first_with(self, role: Role) -> User | None:
        emails = [colleague.email for colleague in COLLEAGUES if colleague.role == role]
        people = {
            user.email: user for user in User.objects.filter(email__in=emails, is_active=True)
        }
        first = next((people[email] for email in emails if email in people), None)
        return first if first and first.check_password(DEMO_PASSWORD) else None
