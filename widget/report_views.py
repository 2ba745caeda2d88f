"""Reports for the customer's own servers, by an API key with the scope `reports:read`."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from leads.after_hours.coverage import gaps_between
from widget import openapi
from widget.fields import Word
from widget.server_serializers import Moment
from widget.server_views import ServerOperation

READ = {"GET": "reports:read"}
CLOCKS = ("wall", "covered")
GROUPS = ("agent", "team", "rule", "channel", "country", "hour")
DEFAULT_PERIOD = timedelta(days=30)
_LONGEST = timedelta(days=731)
_LONGEST_COVERAGE = timedelta(days=92)
_COVERAGE = timedelta(days=28)


class PeriodWanted(serializers.Serializer):
    to = Moment(required=False)

    def get_fields(self) -> dict[str, serializers.Field]:
        return {**super().get_fields(), "from": Moment(required=False)}


class SpeedWanted(PeriodWanted):
    group_by = Word(choices=GROUPS, required=False)
    clock = Word(choices=CLOCKS, required=False)


class SpeedShown(serializers.Serializer):
    """Seconds. Percentiles and the mean are of the answered leads, null where there are none; `within` counts answers
    by the most seconds they took. `overdue` are the unanswered ones whose promised time is over."""

    n = serializers.IntegerField()
    answered = serializers.IntegerField()
    unanswered = serializers.IntegerField()
    overdue = serializers.IntegerField()
    p50 = serializers.FloatField(allow_null=True)
    p75 = serializers.FloatField(allow_null=True)
    p90 = serializers.FloatField(allow_null=True)
    p95 = serializers.FloatField(allow_null=True)
    mean = serializers.FloatField(allow_null=True)
    within = serializers.DictField(child=serializers.IntegerField())


class GroupShown(SpeedShown):
    key = serializers.JSONField(
        allow_null=True, help_text=_("A slug, a name, a code, or an hour of the day; null: the leads without.")
    )


class SpeedReport(SpeedShown):
    groups = GroupShown(many=True, required=False)


class GapShown(serializers.Serializer):
    """Hours in which nobody is on shift or on call. `leads`: how many usually come in them."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    leads = serializers.FloatField()
    why = serializers.CharField(allow_blank=True)


class Coverage(serializers.Serializer):
    gaps = GapShown(many=True)


class SpeedToLead(ServerOperation):
    scopes = READ

    @extend_schema(
        operation_id="report_speed_to_lead",
        summary="Speed to lead (reports:read)",
        parameters=[
            OpenApiParameter("from", OpenApiTypes.STR, description=openapi.MOMENT + " Default: 30 days before `to`."),
            OpenApiParameter("to", OpenApiTypes.STR, description=openapi.MOMENT + " Left out itself. Default: now."),
            OpenApiParameter("group_by", OpenApiTypes.STR, enum=GROUPS),
            OpenApiParameter("clock", OpenApiTypes.STR, enum=CLOCKS, description="Default: wall."),
        ],
        responses=openapi.answers({200: SpeedReport}, 400, 401, 403, *openapi.LIMITED),
    )
    def get(self, request: Request) -> Response:
        """How fast leads received in the period were answered by a person, all together and in groups."""
        # Not by every process that takes leads: it is large.
        from leads.reports.speed_api import speed_to_lead

        workspace, at = self.server.workspace, timezone.now()
        serializer = SpeedWanted(data=request.query_params.dict(), context={"timezone": workspace.timezone})
        serializer.is_valid(raise_exception=True)
        wanted = serializer.validated_data
        end = wanted.get("to", at)
        start = wanted.get("from", end - DEFAULT_PERIOD)
        _check(start, end, longest=_LONGEST)
        return Response(
            speed_to_lead(
                workspace=workspace,
                start=start,
                end=end,
                group_by=wanted.get("group_by"),
                clock=wanted.get("clock") or "wall",
                at=at,
            )
        )


class CoverageGaps(ServerOperation):
    scopes = READ

    @extend_schema(
        operation_id="report_coverage",
        summary="Hours without anybody (reports:read)",
        parameters=[
            OpenApiParameter("from", OpenApiTypes.STR, description=openapi.MOMENT + " Default: now."),
            OpenApiParameter("to", OpenApiTypes.STR, description=openapi.MOMENT + " Default: 28 days after `from`."),
        ],
        responses=openapi.answers({200: Coverage}, 400, 401, 403, *openapi.LIMITED),
    )
    def get(self, request: Request) -> Response:
        """By the roster as it is now, net of holidays and time off."""
        workspace, at = self.server.workspace, timezone.now()
        serializer = PeriodWanted(data=request.query_params.dict(), context={"timezone": workspace.timezone})
        serializer.is_valid(raise_exception=True)
        start = serializer.validated_data.get("from", at)
        end = serializer.validated_data.get("to", start + _COVERAGE)
        _check(start, end, longest=_LONGEST_COVERAGE)
        gaps = gaps_between(workspace=workspace, start=start, end=end, at=at)
        return Response(Coverage({"gaps": gaps}).data)


def _check(start: datetime, end: datetime, *, longest: timedelta) -> None:
    if end <= start:
        raise ValidationError({"to": [_("The period ends before it begins. Give a later `to` or an earlier `from`.")]})
    if end - start > longest:
        raise ValidationError({"to": [_("At most %(days)d days at once.") % {"days": longest.days}]})
