"""Products: what the shop sells, with its stock."""

from decimal import Decimal
from typing import Annotated, Any

from fastapi import Query, Response

from api.deps import Needs, Now, Reading, Writing, page
from api.openapi import refusals
from api.routes import Router
from api.schemas import Id, Limit, Skip
from api.schemas_comparison import VendorRow, rows
from api.schemas_stock import IdempotencyKey, NewProduct, Product, ProductChange, StockStatus
from core import catalogue, product_edits, shop, stock_list, uids
from core.auth import Actor
from core.buying import comparison

router = Router("/api/v1/products", "products")


@router.get("", response_model=list[Product])
def list_products(
    session: Reading,
    _actor: Annotated[Actor, Needs("read")],
    response: Response,
    search: Annotated[
        str | None, Query(max_length=200, description="In SKU and name, or a whole barcode.")
    ] = None,
    category: Annotated[str | None, Query(max_length=200)] = None,
    status: StockStatus | None = None,
    include_inactive: Annotated[bool, Query(description="Also those that are not sold any more.")] = False,
    skip: Skip = 0,
    limit: Limit = 100,
) -> Any:
    """A page of products in order of their SKU."""
    found, total = stock_list.listing(
        session,
        search=search,
        category=category,
        status=status,
        only_active=not include_inactive,
        skip=skip,
        limit=limit,
    )
    return page(response, found, total)


@router.post("", response_model=Product, status_code=201, responses=refusals(400, 404, 409))
def create_product(
    session: Writing,
    actor: Annotated[Actor, Needs("edit catalogue")],
    now: Now,
    wanted: NewProduct,
    key: IdempotencyKey = None,
) -> Any:
    """Add a product; what lies on the shelf already is booked in the default warehouse."""
    today = shop.today(shop.get(session), now)
    fields = wanted.model_dump(exclude={"barcode", "current_stock"})
    codes = [wanted.barcode] if wanted.barcode is not None else []
    made = catalogue.create(
        session, actor, **fields, barcodes=codes, opening_stock=wanted.current_stock, today=today, key=key
    )
    return stock_list.one(session, made.uid, today)


@router.get("/{product_id}", response_model=Product)
def get_product(session: Reading, _actor: Annotated[Actor, Needs("read")], now: Now, product_id: Id) -> Any:
    """One product; the date it runs out is computed from the stock of this moment."""
    return stock_list.one(session, product_id, shop.today(shop.get(session), now))


@router.get("/{product_id}/vendors", response_model=list[VendorRow])
def compare_vendors(
    session: Reading,
    _actor: Annotated[Actor, Needs("read")],
    now: Now,
    response: Response,
    product_id: Id,
    quantity: Annotated[
        Decimal | None,
        Query(gt=0, description="How many pieces are needed; without it, as many as advised."),
    ] = None,
    warehouse_id: Annotated[
        Id | None, Query(description="For this warehouse with all it supplies; without it, for the shop.")
    ] = None,
    skip: Skip = 0,
    limit: Limit = 100,
) -> Any:
    """What ordering from each of its vendors would cost in all, the best first, with one recommended."""
    place = None if warehouse_id is None else uids.warehouse(session, warehouse_id)
    today = shop.today(shop.get(session), now)
    product = uids.product(session, product_id)
    found = rows(comparison.of_product(session, product, today, place, quantity))
    return page(response, found[skip : skip + limit], len(found))


@router.patch("/{product_id}", response_model=Product, responses=refusals(400, 409))
def change_product(
    session: Writing,
    actor: Annotated[Actor, Needs("edit catalogue")],
    now: Now,
    product_id: Id,
    wanted: ProductChange,
    key: IdempotencyKey = None,
) -> Any:
    """Change some fields; another `current_stock` books the difference, it overwrites nothing."""
    today = shop.today(shop.get(session), now)
    given = wanted.model_dump(exclude_unset=True)
    product_edits.edit(session, actor, uids.product(session, product_id), today, key=key, **given)
    return stock_list.one(session, product_id, today)


router.put("/{product_id}", response_model=Product, responses=refusals(400, 409), name="put_product")(
    change_product
)


@router.delete("/{product_id}", status_code=204)
def delete_product(
    session: Writing, actor: Annotated[Actor, Needs("delete catalogue")], product_id: Id
) -> None:
    """Erase a product that nothing ever referred to; one with a history is not sold any more."""
    catalogue.delete(session, actor, uids.product(session, product_id))
