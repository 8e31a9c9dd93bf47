"""Warehouses: where stock lies."""

from typing import Annotated, Any

from fastapi import Query, Response

from api.deps import Needs, Reading, Writing, page
from api.openapi import refusals
from api.routes import Router
from api.schemas import Answer, Body, Flag, Id, Limit, Moment, OwnId, Skip, example, line
from core import shop, warehouses
from core.auth import Actor
from core.errors import RuleBroken

router = Router("/api/v1/warehouses", "warehouses")

Code = line(warehouses.CODE_CHARACTERS, 1)
Name = line(warehouses.NAME_CHARACTERS, 1)
Location = line(warehouses.NAME_CHARACTERS)
TimeZone = line(64, 1)


class Warehouse(Answer):
    """A place where stock lies; the default one is meant where none is named."""

    id: OwnId
    code: str
    name: str
    location: str | None
    time_zone: str
    is_default: bool
    is_active: bool
    created_at: Moment


class NewWarehouse(Body):
    """Its name is its code where none is given, its time zone the shop's."""

    code: Code
    name: Name | None = None
    location: Location | None = None
    time_zone: TimeZone | None = None

    model_config = example(code="BER", name="Berlin", location="Halle 4")


class WarehouseChange(Body):
    """Only the given fields change; a location of null is taken away."""

    code: Code = ""
    name: Name = ""
    location: Location | None = None
    time_zone: TimeZone = ""
    is_default: Flag = False
    is_active: Flag = True

    model_config = example(name="Berlin", location="Halle 5")


@router.get("", response_model=list[Warehouse])
def list_warehouses(
    session: Reading,
    _actor: Annotated[Actor, Needs("read")],
    response: Response,
    skip: Skip = 0,
    limit: Limit = 100,
    include_inactive: Annotated[bool, Query(description="Also those that are used no more.")] = False,
) -> Any:
    """All warehouses, the default one first, then by code."""
    found = warehouses.listing(session, only_active=not include_inactive)
    return page(response, found[skip : skip + limit], len(found))


@router.post("", response_model=Warehouse, status_code=201, responses=refusals(400))
def create_warehouse(
    session: Writing, actor: Annotated[Actor, Needs("edit catalogue")], wanted: NewWarehouse
) -> Any:
    """Add a warehouse; the first one becomes the default."""
    return warehouses.create(
        session,
        actor,
        code=wanted.code,
        name=wanted.name or wanted.code,
        location=wanted.location,
        time_zone=wanted.time_zone or shop.get(session).time_zone,
    )


@router.get("/{warehouse_id}", response_model=Warehouse)
def get_warehouse(session: Reading, _actor: Annotated[Actor, Needs("read")], warehouse_id: Id) -> Any:
    """One warehouse, also one that is used no more."""
    return warehouses.by_uid(session, warehouse_id)


@router.patch("/{warehouse_id}", response_model=Warehouse, responses=refusals(400))
def change_warehouse(
    session: Writing,
    actor: Annotated[Actor, Needs("edit catalogue")],
    warehouse_id: Id,
    wanted: WarehouseChange,
) -> Any:
    """Change some fields, make it the default, use it no more or again.

    A warehouse that is the default, holds stock or awaits some stays in use. The default is passed on by
    making another one the default.
    """
    place = warehouses.by_uid(session, warehouse_id)
    given = wanted.model_dump(exclude_unset=True)
    is_active, is_default = given.pop("is_active", None), given.pop("is_default", None)
    if given:
        warehouses.change(session, actor, place.id, **given)
    if is_active:
        warehouses.reactivate(session, actor, place.id)
    if is_default:
        warehouses.make_default(session, actor, place.id)
    elif is_default is False and place.is_default:
        raise RuleBroken(f"{place.code} is the default: make another one the default instead.")
    if is_active is False:
        warehouses.deactivate(session, actor, place.id)
    return place


@router.delete("/{warehouse_id}", status_code=204, responses=refusals(400))
def delete_warehouse(
    session: Writing, actor: Annotated[Actor, Needs("delete catalogue")], warehouse_id: Id
) -> None:
    """Erase a warehouse that nothing ever referred to; one with a history is used no more."""
    warehouses.delete(session, actor, warehouses.by_uid(session, warehouse_id).id)
