"""The peers' tables as Django sees them."""

from __future__ import annotations

import uuid

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.utils import timezone

ADMINS = "admins"


class User(AbstractBaseUser):
    id = models.UUIDField(primary_key=True)
    username = models.CharField(max_length=150, unique=True)
    is_admin = models.BooleanField()
    is_active = models.BooleanField()
    USERNAME_FIELD = "username"

    class Meta:
        managed = False
        db_table = "users"

    @property
    def view(self) -> str:
        """Under whose name answers to this account are cached."""
        return ADMINS if self.is_admin else self.id.hex


class Order(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user = models.ForeignKey(User, models.PROTECT)
    status = models.CharField(max_length=20, default="pending")
    total_price = models.DecimalField(max_digits=12, decimal_places=2)
    is_deleted = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        managed = False
        db_table = "orders"
        ordering = ("-created_at", "-id")


class Line(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    position = models.IntegerField()
    name = models.CharField(max_length=255)
    price = models.DecimalField(max_digits=12, decimal_places=2)
    quantity = models.IntegerField()

    class Meta:
        managed = False
        db_table = "order_lines"
        ordering = ("position",)
