"""manage.py load_demo"""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from widget.demo.workspace import MEMBERS, NotForDemo, load_demo


class Command(BaseCommand):
    help = "Makes the demo workspace with its logins. On the embedded database of this machine only."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            site = load_demo(at=timezone.now())
        except NotForDemo:
            raise CommandError(
                "The demo has logins whose password lies in a file, so it is made only on the embedded database of "
                "this machine: unset DATABASE_URL.",
                returncode=2,
            ) from None
        self.stdout.write(f"site {site.key} {settings.PUBLIC_URL}/demo/")
        password = settings.VAR_DIR / "demo_password"
        if password.exists():
            for email in MEMBERS:
                self.stdout.write(f"login {email} {password.read_text().strip()}")
