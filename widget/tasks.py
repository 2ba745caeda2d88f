from celery import shared_task
from django.utils import timezone

from widget import counting


@shared_task
def forget_past_counts() -> int:
    """Keep the table of counts as small as the traffic of a few minutes."""
    return counting.forget_past_counts(at=timezone.now())
