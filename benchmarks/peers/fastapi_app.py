"""FastAPI with SQLAlchemy 2 (async, asyncpg) and pydantic, as the documentation of each recommends.

With `REDIS_URL` whole bodies are cached: an order under its id, a list under a version of its owner's lists.
A write gives both up after its commit.  The account is read from the database on every request either way.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException, Query, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AliasPath, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter
from redis.asyncio import Redis
from sqlalchemy import ColumnElement, DateTime, ForeignKey, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship, selectinload

engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=8, max_overflow=0)
new_session = async_sessionmaker(engine, expire_on_commit=False)
redis = Redis.from_url(os.environ["REDIS_URL"]) if os.environ.get("REDIS_URL") else None
app = FastAPI()
EXPIRES = 300
ADMINS = "admins"


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012  (as SQLAlchemy documents it)


class User(Base):
    __tablename__ = "users"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    username: Mapped[str]
    is_admin: Mapped[bool]
    is_active: Mapped[bool]

    @property
    def view(self) -> str:
        """Under whose name answers to this account are cached."""
        return ADMINS if self.is_admin else self.id.hex


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    status: Mapped[str] = mapped_column(default="pending")
    total_price: Mapped[Decimal]
    is_deleted: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    user: Mapped[User] = relationship()
    lines: Mapped[list[Line]] = relationship(order_by="Line.position")


class Line(Base):
    __tablename__ = "order_lines"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"))
    position: Mapped[int]
    name: Mapped[str]
    price: Mapped[Decimal]
    quantity: Mapped[int]


Money = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]


class NewLine(BaseModel):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
    price: Money
    quantity: Annotated[int, Field(ge=0, le=2_147_483_647)]


class NewOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")
    products: Annotated[list[NewLine], Field(min_length=1, max_length=2000)]
    total_price: Money | None = None


class Change(BaseModel):
    model_config = ConfigDict(extra="forbid")
    total_price: Money


class ShownLine(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    product_id: uuid.UUID = Field(validation_alias="id")
    name: str
    price: Decimal
    quantity: int


class ShownOrder(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    order_id: uuid.UUID = Field(validation_alias="id")
    user: str = Field(validation_alias=AliasPath("user", "username"))
    status: str
    total_price: Decimal
    products: list[ShownLine] = Field(validation_alias="lines")
    is_deleted: bool
    created_at: datetime
    updated_at: datetime


ShownOrders = TypeAdapter(list[ShownOrder])


async def get_session() -> AsyncIterator[AsyncSession]:
    async with new_session() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]


async def get_user(
    sent: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())], session: Session
) -> User:
    try:
        claims = jwt.decode(sent.credentials, os.environ["JWT_SECRET"], algorithms=["HS256"])
        user = await session.get(User, uuid.UUID(claims["sub"]))
    except (jwt.InvalidTokenError, ValueError):
        raise HTTPException(401) from None
    if user is None or not user.is_active:
        raise HTTPException(401)
    return user


Caller = Annotated[User, Depends(get_user)]


def _answer(body: bytes, status: int = 200, pagination: bytes | None = None) -> Response:
    headers = {"X-Pagination": pagination.decode()} if pagination else None
    return Response(body, status, headers, media_type="application/json")


async def _known(cache: Redis, key: str) -> bytes | None:
    known = await cache.get(key)
    assert known is None or isinstance(known, bytes)
    return known


async def _forget(owner: User, order_id: uuid.UUID | None = None) -> None:
    if redis is None:
        return
    async with redis.pipeline(transaction=False) as pipeline:
        for view in (owner.view, ADMINS):
            pipeline.incr(f"lists:{view}")
            if order_id is not None:
                pipeline.delete(f"order:{view}:{order_id}")
        await pipeline.execute()


@app.get("/api/v1/orders/{order_id}/", response_model=ShownOrder)
async def read(order_id: uuid.UUID, user: Caller, session: Session) -> Response:
    key = f"order:{user.view}:{order_id}"
    if redis is not None and (known := await _known(redis, key)) is not None:
        return _answer(known)
    statement = (
        select(Order).where(Order.id == order_id).options(joinedload(Order.user), selectinload(Order.lines))
    )
    order = await session.scalar(statement)
    if order is None or not (user.is_admin or order.user_id == user.id):
        raise HTTPException(404)
    body = ShownOrder.model_validate(order).model_dump_json().encode()
    if redis is not None:
        await redis.set(key, body, EXPIRES)
    return _answer(body)


@app.get("/api/v1/orders/", response_model=list[ShownOrder])
async def read_list(
    user: Caller,
    session: Session,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=1, le=200)] = 50,
    status: str | None = None,
) -> Response:
    key = ""
    if redis is not None:
        version = await _known(redis, f"lists:{user.view}") or b"0"
        key = f"list:{user.view}:{version.decode()}:{page}:{page_size}:{status}"
        if (known := await _known(redis, key)) is not None:
            pagination, _, body = known.partition(b"\n")
            return _answer(body, pagination=pagination)
    wanted: list[ColumnElement[bool]] = [Order.is_deleted.is_(False)]
    if not user.is_admin:
        wanted.append(Order.user_id == user.id)
    if status is not None:
        wanted.append(Order.status == status)
    total = await session.scalar(select(func.count()).select_from(Order).where(*wanted))
    statement = (
        select(Order)
        .where(*wanted)
        .order_by(Order.created_at.desc(), Order.id.desc())
        .offset((page - 1) * page_size)
        .limit(page_size)
        .options(joinedload(Order.user), selectinload(Order.lines))
    )
    orders = (await session.scalars(statement)).all()
    body = ShownOrders.dump_json(ShownOrders.validate_python(orders))
    pagination = json.dumps({"total": total, "page": page}).encode()
    if redis is not None:
        await redis.set(key, pagination + b"\n" + body, EXPIRES)
    return _answer(body, pagination=pagination)


@app.post("/api/v1/orders/", response_model=ShownOrder, status_code=201)
async def create(new: NewOrder, user: Caller, session: Session) -> Response:
    now = datetime.now(UTC)
    total = new.total_price
    if total is None:
        total = sum((line.price * line.quantity for line in new.products), Decimal("0.00"))
    lines = [Line(position=number, **line.model_dump()) for number, line in enumerate(new.products)]
    order = Order(user=user, total_price=total, created_at=now, updated_at=now, lines=lines)
    session.add(order)
    await session.commit()
    await _forget(user)
    return _answer(ShownOrder.model_validate(order).model_dump_json().encode(), 201)


@app.patch("/api/v1/orders/{order_id}/", response_model=ShownOrder)
async def change(order_id: uuid.UUID, changes: Change, user: Caller, session: Session) -> Response:
    statement = (
        select(Order)
        .where(Order.id == order_id)
        .options(joinedload(Order.user, innerjoin=True), selectinload(Order.lines))
        .with_for_update(of=Order)
    )
    order = await session.scalar(statement)
    if order is None or not (user.is_admin or order.user_id == user.id):
        raise HTTPException(404)
    order.total_price = changes.total_price
    order.updated_at = datetime.now(UTC)
    await session.commit()
    await _forget(order.user, order_id)
    return _answer(ShownOrder.model_validate(order).model_dump_json().encode())
