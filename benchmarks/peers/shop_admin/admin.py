"""The admin of orders."""

from __future__ import annotations

import csv
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import F, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from benchmarks.peers.shop_admin.models import Customer, Line, Order

Status = Order.Status


class Lines(admin.TabularInline):
    model = Line
    extra = 0


@admin.register(Customer)
class Customers(admin.ModelAdmin):
    search_fields = ("name",)


@admin.register(Order)
class Orders(admin.ModelAdmin):
    list_display = ("reference", "customer", "status", "total", "created_at", "updated_at")
    list_filter = ("status", "created_at")
    list_select_related = ("customer",)
    list_per_page = 50
    search_fields = ("=reference", "customer__name", "lines__name")
    date_hierarchy = "created_at"
    autocomplete_fields = ("customer",)
    readonly_fields = ("total", "created_at", "updated_at")
    inlines = (Lines,)
    actions = ("confirm", "complete", "cancel", "export_csv")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        order = form.instance
        order.total = order.lines.aggregate(sum=Sum(F("price") * F("quantity")))["sum"] or 0
        order.save(update_fields=["total", "updated_at"])

    @admin.action(description="Confirm", permissions=["change"])
    def confirm(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self._move(request, queryset.filter(status=Status.PENDING), Status.CONFIRMED)

    @admin.action(description="Complete", permissions=["change"])
    def complete(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        self._move(request, queryset.filter(status=Status.CONFIRMED), Status.COMPLETED)

    @admin.action(description="Cancel …", permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        """Asks for a reason first."""
        if "reason" in request.POST:
            open_ones = queryset.filter(status__in=(Status.PENDING, Status.CONFIRMED))
            self._move(request, open_ones, Status.CANCELLED, request.POST["reason"])
            return None
        asked = {"orders": queryset, "title": "Cancel these orders?"}
        context = {**self.admin_site.each_context(request), **asked}
        return TemplateResponse(request, "shop_admin/cancel.html", context)

    @admin.action(description="Export as CSV", permissions=["view"])
    def export_csv(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse:
        headers = {"Content-Disposition": 'attachment; filename="orders.csv"'}
        response = HttpResponse(content_type="text/csv; charset=utf-8", headers=headers)
        writer = csv.writer(response)
        writer.writerow(
            ("order_id", "reference", "customer", "status", "created_at", "product", "price", "quantity")
        )
        for order in queryset.select_related("customer").prefetch_related("lines"):
            head = (
                order.id,
                order.reference,
                order.customer.name,
                order.status,
                order.created_at.isoformat(),
            )
            writer.writerows((*head, line.name, line.price, line.quantity) for line in order.lines.all())
        return response

    def _move(self, request: HttpRequest, queryset: QuerySet[Order], to: str, reason: str = "") -> None:
        moved = list(queryset)
        queryset.model.objects.filter(pk__in=[order.pk for order in moved]).update(status=to)
        for order in moved:
            text = f"Status: {to}." + (f" {reason}" if reason else "")
            LogEntry.objects.log_actions(
                request.user.pk, [order], CHANGE, change_message=text, single_object=True
            )
        self.message_user(request, f"{len(moved)} orders are {to}.", messages.SUCCESS)
