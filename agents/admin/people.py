"""Workspaces, their members and users."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm

from agents import admin_access as access
from agents import plans
from agents.admin.scoped import RosterAdmin, WorkspaceAdmin
from agents.forms.people import MembershipForm, OperatorUserForm, SettingsForm
from agents.models import Membership, User, Workspace
from agents.scoping import Action, Role


@admin.register(Workspace)
class WorkspaceSettingsAdmin(RosterAdmin):
    """A manager's own workspace; to operators all of them, with their plans."""

    needs = Action.CHANGE_SETTINGS
    form = SettingsForm
    list_display = ("name", "slug", "plan", "timezone", "created_at")
    list_filter = (("plan", ChoicesDropdownFilter),)
    search_fields = ("name", "slug")
    ordering = ("name", "id")
    fieldsets = (
        (None, {"fields": ("name", "slug", "timezone", "languages", "fallback_agent", "public_attributes")}),
        (_("Plan"), {"fields": ("plan",)}),
    )

    change_form_outer_after_template = "admin/plan.html"

    def get_queryset(self, request: Any) -> QuerySet[Any]:
        return Workspace.objects.all() if request.user.is_superuser else super().get_queryset(request)

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if "fallback_agent" in form.base_fields and obj is not None:
            # An operator may edit a workspace that is not the active one: its own agents, then.
            field = form.base_fields["fallback_agent"]
            field.queryset = field.queryset.model.objects.for_workspace(obj).order_by("name", "id")
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if request.user.is_superuser else ("slug", "plan")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None:
            return self.fieldsets
        return [(None, {"fields": ("name", "slug", "timezone", "languages", "plan")})]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser or access.may(request, self.needs))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # leads would go with it

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        workspace = self.get_object(request, object_id)
        shown = {"plan_overview": plans.overview(workspace)} if workspace and self.has_view_permission(request) else {}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def changelist_view(self, request: Any, extra_context: Any = None) -> HttpResponse:
        if not request.user.is_superuser and self.has_view_permission(request):
            return redirect("admin:agents_workspace_change", request.workspace.pk)
        return super().changelist_view(request, extra_context)


@admin.register(Membership)
class MembershipAdmin(WorkspaceAdmin):
    """Who may do what in the active workspace. Nobody gives or takes a role above their own, or changes their own."""

    needs = Action.CHANGE_SETTINGS
    form = MembershipForm
    list_title = _("Members")
    add_words = _("Invite somebody")
    list_display = ("email", "role_label")
    search_fields = ("user__email",)
    list_filter = (("role", ChoicesDropdownFilter),)
    ordering = ("role", "user__email")
    list_select_related = ("user",)

    fields = ("email", "role")
    readonly_fields = ("email",)

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.grantable = access.grantable_roles(request)
        return form

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(access.grantable_roles(request))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(access.grantable_roles(request))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(access.grantable_roles(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        roles = access.grantable_roles(request)
        if obj is None:
            return bool(roles)
        return obj.role in roles and (obj.user_id != request.user.pk or request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> Any:
        return {}  # one at a time: who may be removed depends on the row

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return redirect("admin:agents_invitation_add")  # nobody becomes a member without having agreed

    @display(description=_("Member"), ordering="user__email")
    def email(self, membership: Membership) -> str:
        return membership.user.email

    @display(
        description=_("Role"),
        ordering="role",
        label={"owner": "info", "manager": "success", "ops": "default", "agent": "default"},
    )
    def role_label(self, membership: Membership) -> tuple[str, Any]:
        return membership.role, Role(membership.role).label


class OperatorsOnly:
    """What only superusers see."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)


class UserMembershipInline(OperatorsOnly, TabularInline):
    model = Membership
    fields = ("workspace", "role")
    autocomplete_fields = ("workspace",)
    extra = 0


@admin.register(User)
class UserAdmin(OperatorsOnly, DjangoUserAdmin, ModelAdmin):
    """Everybody who may log in, for operators. Others meet users only as members of their workspace."""

    form = OperatorUserForm
    add_form = OperatorUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "first_name", "last_name", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser")
    search_fields = ("email", "first_name", "last_name")
    ordering = ("email",)
    filter_horizontal = ()
    inlines = (UserMembershipInline,)
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "first_name", "last_name")}),
        (_("Access"), {"fields": ("is_active", "is_superuser")}),
        (_("Since"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "first_name", "last_name", "is_superuser")}),)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # the history names users: they are deactivated

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)
