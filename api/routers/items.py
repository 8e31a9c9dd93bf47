"""Items: the same products, by the same handlers, at the addresses of an ERP."""

from api.openapi import refusals
from api.routers import products
from api.routes import Router
from api.schemas_stock import Product

router = Router("/api/v1/items", "items")

_DETAIL = "/{product_id}"
router.get("", response_model=list[Product], name="list_items")(products.list_products)
router.post(
    "", response_model=Product, status_code=201, responses=refusals(400, 404, 409), name="create_item"
)(products.create_product)
router.get(_DETAIL, response_model=Product, name="get_item")(products.get_product)
router.patch(_DETAIL, response_model=Product, responses=refusals(400, 409), name="change_item")(
    products.change_product
)
router.delete(_DETAIL, status_code=204, name="delete_item")(products.delete_product)
