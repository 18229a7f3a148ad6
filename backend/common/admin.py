"""The ground under Django's admin: for sync2gear's staff, by the apps' own services, with one audit trail.

    @admin.register(Floor)
    class FloorAdmin(StaffAdmin):
        trail = "floor"
        list_display = ("name", link_to("client"))
        autocomplete_fields = ("client",)

        def create_row(self, request, values):
            return services.create_floor(by=request.user, **values)

A subclass defines `create_row`, `update_row` and `delete_row` as a viewset does; what it does not define, nobody can
do in the admin. What a service refuses is told on the form; rows deleted together are deleted one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial, wraps
from typing import Any, ClassVar, NamedTuple

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, models, transaction
from django.forms.models import construct_instance
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.paginator import InfinitePaginator

from common.errors import Refusal
from common.filters import newest
from common.permissions import may_enter_admin
from common.rows import lock_row

REFUSED = (Refusal, ValidationError, IntegrityError)
"""What a service raises when it does not do what was asked."""

OTHER_CLIENT = "That belongs to another client."


class Complaint(NamedTuple):
    """What is wrong, and with which field; None: with the whole."""

    field: str | None
    detail: str


def complaints(refused: Exception) -> Iterator[Complaint]:
    """What a service refused, in sentences."""
    if isinstance(refused, Refusal):
        yield Complaint(refused.field, refused.detail)
    elif isinstance(refused, ValidationError) and hasattr(refused, "error_dict"):
        for field, errors in refused.message_dict.items():
            yield from (Complaint(None if field == NON_FIELD_ERRORS else field, text) for text in errors)
    elif isinstance(refused, ValidationError):
        yield from (Complaint(None, text) for text in refused.messages)
    else:
        yield Complaint(None, "Another record already holds one of these values.")


def linked(row: models.Model | None) -> str:
    """The row's name, leading to its page in the admin."""
    if row is None:
        return "–"
    meta = row._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=(row.pk,))
    return format_html('<a class="text-link" href="{}">{}</a>', url, row)


def link_to(name: str, *, ordering: str = "name") -> Callable[[Any], str]:
    """A column that leads to what the foreign key `name` points at, sorted by that row's `ordering`.

    Name the key in `list_select_related` too.
    """

    @display(description=name.replace("_", " "), ordering=f"{name}__{ordering}")
    def shown(row: Any) -> str:
        return linked(getattr(row, name))

    shown.__name__ = f"link_to_{name}"
    return shown


class StaffForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs alone
    """A form whose values go to a service. It checks single fields; rules between them are the service's."""

    refused: ClassVar[Exception | None] = None

    def clean(self) -> dict[str, Any]:
        """No reference leads out of the business that the row belongs to."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if not hasattr(self.instance, "client_id"):
            return values
        owner = values.get("client")
        owner_id = owner.pk if owner is not None else self.instance.client_id
        for name, value in list(values.items()):
            rows = value if isinstance(value, models.QuerySet) else [value]
            if any(isinstance(row, models.Model) and _owner_of(row, owner_id) != owner_id for row in rows):
                self.add_error(name, ValidationError(OTHER_CLIENT, code="other_client"))
        return values

    def _post_clean(self) -> None:
        """Each column alone. Django's own would check the whole too, in words that are not the service's."""
        excluded = self._get_validation_exclusions()  # type: ignore[attr-defined]  # not in the stubs
        meta = self._meta
        self.instance = construct_instance(self, self.instance, meta.fields, meta.exclude)
        try:
            self.instance.clean_fields(exclude=excluded)
        except ValidationError as error:
            self._tell(error)
        if self.refused is not None:
            self._tell(self.refused)

    def _tell(self, refused: Exception) -> None:
        for field, detail in complaints(refused):
            known = (field or "").partition(".")[0]
            self.add_error(known if known in self.fields else None, detail)


def _owner_of(row: models.Model, otherwise: int | None) -> int | None:
    """The business that a row belongs to; `otherwise` for what belongs to none, such as the business itself."""
    owner: int | None = getattr(row, "client_id", otherwise)
    return owner


class StaffAdmin(ModelAdmin):
    """One model, for sync2gear's staff. Read-only but for what a subclass defines:

    - `create_row(request, values)` makes a row of the form's values and answers it;
    - `update_row(request, row, changes)` changes the stored row, locked, by the values that differ, and answers it;
    - `delete_row(request, row)` removes it.

    `trail` is the resource under which the audit trail knows these rows. A row's `client` is fixed once it is there.
    """

    form = StaffForm
    create_row: Any = None
    update_row: Any = None
    delete_row: Any = None
    trail: ClassVar[str] = ""

    list_per_page = 50
    list_filter_submit = True
    warn_unsaved_form = True
    show_full_result_count = False

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """In a log, whose pages are not counted, the newest rows alone are searched: `common.filters.newest`."""
        if search_term and self.paginator is InfinitePaginator:
            queryset = newest(queryset, self.ordering)
        found: tuple[Any, bool] = super().get_search_results(request, queryset, search_term)
        return found

    # --- who may do what -----------------------------------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the model is in the menu."""
        return may_enter_admin(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Staff see everything."""
        return may_enter_admin(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Where there is a `create_row`."""
        return self.create_row is not None and may_enter_admin(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Where there is an `update_row`."""
        return self.update_row is not None and may_enter_admin(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Where there is a `delete_row`."""
        return self.delete_row is not None and may_enter_admin(request.user)

    # --- forms ---------------------------------------------------------------------------------------------

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A record stays with its business."""
        fixed = super().get_readonly_fields(request, obj)
        owned = obj is not None and any(field.name == "client" for field in self.opts.fields)
        return (*fixed, "client") if owned and "client" not in fixed else fixed

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, which says what a service refused before."""
        form = super().get_form(request, obj, change, **kwargs)
        form.refused = getattr(request, "refused", None)
        return form

    def _changeform_view(
        self, request: HttpRequest, object_id: Any, form_url: str, extra_context: Any
    ) -> HttpResponse:
        """What a service refuses is undone, and the form is shown again with its words."""
        show = super()._changeform_view
        if request.method != "POST":
            return show(request, object_id, form_url, extra_context)
        try:
            with transaction.atomic():
                return show(request, object_id, form_url, extra_context)
        except REFUSED as refused:
            request.refused = refused  # type: ignore[attr-defined]  # a request is also a place for notes
            return show(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing: `save_related` has the lists too."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Hands what was filled in to `create_row` or `update_row`."""
        values = form.cleaned_data
        if change:
            stored = lock_row(self.model._base_manager.all(), form.instance.pk)
            changes = {name: values[name] for name in form.changed_data if name in values}
            saved = self.update_row(request, stored, changes)
        else:
            saved = self.create_row(request, values)
        form.instance.pk = saved.pk
        form.instance.refresh_from_db()

    # --- deleting ------------------------------------------------------------------------------------------

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with these rows, counted: the rules are the service's, so nothing here forbids it."""
        rows = list(objs)
        counts = {str(self.opts.verbose_name_plural): len(rows)}
        for relation in self.opts.related_objects:
            if relation.on_delete is models.CASCADE:
                manager = relation.related_model._base_manager
                number = manager.filter(**{f"{relation.field.name}__in": rows}).count()
                if number:
                    counts[str(relation.related_model._meta.verbose_name_plural)] = number
        return [str(row) for row in rows], counts, set(), []

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Through the service."""
        self.delete_row(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """One by one, so that each is on the record and no rule is passed by; all or none."""
        for row in queryset:
            self.delete_row(request, row)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """What the service refuses is told on the page of the row."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except REFUSED as refused:
            return self.told(request, refused, self.page_of(unquote(object_id)))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """What a service refuses of an action on several rows is told above the list, and none of it is done."""
        show = super().changelist_view
        if request.method != "POST":
            return show(request, extra_context)
        try:
            with transaction.atomic():
                return show(request, extra_context)
        except REFUSED as refused:
            return self.told(request, refused, request.get_full_path())

    def told(self, request: HttpRequest, refused: Exception, url: str) -> HttpResponse:
        """Goes to `url`, with the words of a refusal."""
        for complaint in complaints(refused):
            self.message_user(request, complaint.detail, messages.ERROR)
        return HttpResponseRedirect(url)

    def page_of(self, pk: Any) -> str:
        """The path of a row's page."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=(pk,))

    # --- history -------------------------------------------------------------------------------------------

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The audit trail of the row, which knows of every way in, not of the admin alone."""
        about = urlencode({"resource__exact": self.trail, "resource_id__exact": unquote(object_id)})
        return HttpResponseRedirect(f"{reverse('admin:audit_auditlog_changelist')}?{about}")

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """With a way to the trail, where there is one."""
        context["show_history"] = bool(self.trail)
        return super().render_change_form(request, context, *args, **kwargs)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Nothing, as the other two: the audit trail has it, and one trail is enough."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Nothing."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """Nothing."""

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool) -> Any:
        """Nothing."""
        return []


def confirmed(
    question: str,
    *,
    label: str = "",
    icon: str = "bolt",
    danger: bool = False,
    form: type[forms.Form] | None = None,
) -> Callable[[Callable[..., Any]], Any]:
    """Decorates a method of a StaffAdmin: a button on a row's page that asks first. Name it in `actions_detail`.

    `question` may hold `{row}`. The method takes the request, the row and what was filled into `form`, does its work,
    and answers a sentence that is shown on the row's page, or a response of its own. Only the POST of the confirmation
    does anything.
    """

    def decorate(act: Callable[..., Any]) -> Any:
        title = label or act.__name__.replace("_", " ").capitalize()

        @action(
            description=title,
            url_path=act.__name__.replace("_", "-"),
            permissions=["view"],
            icon=icon,
            variant=ActionVariant.DANGER if danger else ActionVariant.DEFAULT,
        )
        @wraps(act)
        def ask(self: StaffAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
            row = self.get_object(request, unquote(object_id))
            if row is None:
                return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            filled = (form or forms.Form)(request.POST if request.method == "POST" else None)
            if request.method == "POST" and filled.is_valid():
                return _carry_out(self, request, row, partial(act, **filled.cleaned_data))
            context = {
                **self.admin_site.each_context(request),
                "title": title,
                "opts": self.opts,
                "question": question.format(row=row),
                "form": filled,
                "label": title,
                "variant": "danger" if danger else "primary",
                "back": self.page_of(row.pk),
            }
            return TemplateResponse(request, "admin/confirm.html", context)

        return ask

    return decorate


def _carry_out(admin: StaffAdmin, request: HttpRequest, row: Any, act: Callable[..., Any]) -> HttpResponse:
    try:
        said = act(admin, request, row)
    except REFUSED as refused:
        return admin.told(request, refused, admin.page_of(row.pk))
    if isinstance(said, HttpResponse):
        return said
    admin.message_user(request, said, messages.SUCCESS)
    return HttpResponseRedirect(admin.page_of(row.pk))


class PartsInline(TabularInline):
    """Rows that belong to the one above, to be looked at: their owner's service writes them."""

    extra = 0
    can_delete = False
    show_change_link = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Staff see everything."""
        return may_enter_admin(request.user)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


# --- columns of sounds -----------------------------------------------------------------------------------


@display(description="length", ordering="duration_ms")
def playing_time(self: Any, row: Any) -> str:
    """Minutes and seconds of a sound."""
    return f"{row.duration_ms // 60_000}:{row.duration_ms // 1000 % 60:02}" if row.duration_ms else "–"


@display(description="size", ordering="file_size")
def file_size(self: Any, row: Any) -> str:
    """Of a sound's file."""
    return filesizeformat(row.file_size)


def audio_player(url: str) -> str:
    """A player, which fetches nothing before it is asked to play."""
    return format_html('<audio controls preload="none" src="{}"></audio>', url)
