"""Serializers, the viewset and its routes."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import include, path
from django.utils import timezone
from rest_framework import mixins, pagination, routers, serializers, viewsets
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from benchmarks.peers.drf.models import ADMINS, Line, Order

EXPIRES = 300


class LineSerializer(serializers.ModelSerializer):
    product_id = serializers.UUIDField(source="id", read_only=True)
    price = serializers.DecimalField(max_digits=12, decimal_places=2, min_value=0)
    quantity = serializers.IntegerField(min_value=0, max_value=2_147_483_647)

    class Meta:
        model = Line
        fields = ("product_id", "name", "price", "quantity")


class OrderSerializer(serializers.ModelSerializer):
    order_id = serializers.UUIDField(source="id", read_only=True)
    user = serializers.CharField(source="user.username", read_only=True)
    total_price = serializers.DecimalField(max_digits=12, decimal_places=2, min_value=0, required=False)
    products = LineSerializer(source="lines", many=True, allow_empty=False)

    class Meta:
        model = Order
        fields = (
            *("order_id", "user", "status", "total_price", "products"),
            *("is_deleted", "created_at", "updated_at"),
        )
        read_only_fields = ("status", "is_deleted", "created_at", "updated_at")

    def create(self, values: dict[str, Any]) -> Order:
        lines = values.pop("lines")
        values.setdefault("total_price", sum(line["price"] * line["quantity"] for line in lines))
        order = Order.objects.create(**values)
        Line.objects.bulk_create(Line(order=order, position=at, **line) for at, line in enumerate(lines))
        return order


class ChangeSerializer(OrderSerializer):
    products = LineSerializer(source="lines", many=True, read_only=True)


class Pages(pagination.PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def get_paginated_response(self, data: Any) -> Response:
        said = {"total": self.page.paginator.count, "page": self.page.number}
        return Response(data, headers={"X-Pagination": json.dumps(said)})


class Orders(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    viewsets.GenericViewSet,
):
    queryset = Order.objects.filter(is_deleted=False).select_related("user").prefetch_related("lines")
    serializer_class = OrderSerializer
    pagination_class = Pages

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        if not self.request.user.is_admin:
            found = found.filter(user=self.request.user)
        status = self.request.query_params.get("status")
        return found.filter(status=status) if status else found

    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        return self._cached(f"order:{request.user.view}:{pk}", super().retrieve, request, pk=pk)

    def list(self, request: Request) -> HttpResponse:
        version = cache.get(f"lists:{request.user.view}")
        key = f"list:{request.user.view}:{version}:{request.META['QUERY_STRING']}"
        return self._cached(key, super().list, request)

    def _cached(self, key: str, make: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.REDIS_URL:
            return make(*args, **kwargs)
        known = cache.get(key)
        if known is None:
            made = make(*args, **kwargs)
            known = (JSONRenderer().render(made.data), made.get("X-Pagination"))
            cache.set(key, known, EXPIRES)
        body, said = known
        headers = {"X-Pagination": said} if said else None
        return HttpResponse(body, headers=headers, content_type="application/json")

    @transaction.atomic
    def perform_create(self, serializer: OrderSerializer) -> None:
        serializer.save(user=self.request.user)
        transaction.on_commit(lambda: self._forget(serializer.instance))

    @transaction.atomic
    def partial_update(self, request: Request, pk: str) -> Response:
        order = get_object_or_404(self.get_queryset().select_for_update(of=("self",)), pk=pk)
        serializer = ChangeSerializer(order, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        serializer.save(updated_at=timezone.now())
        transaction.on_commit(lambda: self._forget(order))
        return Response(serializer.data)

    def _forget(self, order: Order) -> None:
        views = (order.user.view, ADMINS)
        cache.set_many({f"lists:{view}": uuid.uuid4().hex for view in views}, timeout=None)
        cache.delete_many([f"order:{view}:{order.id}" for view in views])


router = routers.SimpleRouter()
router.register("orders", Orders)
urlpatterns = [path("api/v1/", include(router.urls))]
