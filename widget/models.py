"""What the public face keeps: counts of requests, where there is no Redis to keep them."""

from django.db import models


class ThrottleCount(models.Model):
    """How often somebody asked since their period began. Nobody's data: no workspace, no history, no backup."""

    key = models.CharField(max_length=200, primary_key=True)
    hits = models.IntegerField()
    # Milliseconds since 1970: one number that every database compares in the same way.
    ends_ms = models.BigIntegerField(db_index=True)

    class Meta:
        verbose_name = "throttle count"

    def __str__(self) -> str:
        return f"{self.key}: {self.hits}"
