"""A signed-in dashboard without a browser: Streamlit's AppTest from the one entrance."""

import functools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy.orm import Session
from streamlit import config as st_config
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from core import auth, catalogue, stock
from core.buying import advice
from db.models import Product
from tests.makers import PASSWORD, a_person, a_product, a_vendor, an_actor, an_offer, the_warehouse

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
# What AppTest calls a view is known once a role has found it; from then on the role opens it at once, as a
# link does. Without it every test would draw Today first.
_deep_links: dict[tuple[str | None, str], str] = {}


@pytest.fixture(autouse=True, scope="session")
def _components_looked_for_once() -> Iterator[None]:
    """Each run of AppTest would read the papers of all installed packages: half of a test's time."""
    with pytest.MonkeyPatch.context() as patch:
        once = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", once)
        yield


@pytest.fixture(autouse=True)
def _no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest's connection has a mock for the visitor's address."""
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda _: None))


@pytest.fixture(autouse=True)
def _nothing_kept():
    """Kept answers belong to the database of another test; AppTest itself keeps what cannot be pickled."""
    strict = st_config.get_option("runner.enforceSerializableSessionState")
    st_config.set_option("runner.enforceSerializableSessionState", False)
    st.cache_data.clear()
    yield
    st.cache_data.clear()
    st_config.set_option("runner.enforceSerializableSessionState", strict)


@pytest.fixture
def browser(session: Session) -> Callable[..., AppTest]:
    """`browser(role, view, **address)`: somebody signed in opens a view; without a role nobody is."""

    def open_view(role: str | None = "manager", view: str = "today", **address: str) -> AppTest:
        session.commit()  # on the rolled-back connection that the page uses too
        app = AppTest.from_file(str(APP), default_timeout=30)
        if role is not None:
            person = a_person(session, role)
            outcome = auth.sign_in(session, person.email, PASSWORD, "test", datetime.now(UTC))
            session.commit()
            app.session_state["sign_in"] = {"token": outcome.token}
        if (role, view) in _deep_links:
            app._page_hash = _deep_links[role, view]
        elif view != "today":
            app.run()
            app.switch_page(f"views/{view}.py")
            _deep_links[role, view] = app._page_hash
        for word, value in address.items():
            app.query_params[word] = value
        return app.run()

    return open_view


@pytest.fixture
def sold_daily(session: Session) -> Callable[..., Product]:
    """`sold_daily(left=20)`: a product that sold the same every day until yesterday, with `left` on hand."""

    def make(left: int = 20, days: int = 60, quantity: int = 2, **about) -> Product:
        actor, place = an_actor(session), the_warehouse(session)
        start = datetime.now(UTC).replace(hour=1, minute=0) - timedelta(days=days)
        product = a_product(session, days * quantity + left, stock_at=start, lead_time_days=7, **about)
        for n in range(days):
            stock.remove(
                session, actor, product.id, place.id, quantity,
                reason_code="sale", occurred_at=start + timedelta(days=n, hours=1),
            )  # fmt: skip
        return product

    return make


@pytest.fixture
def train() -> Callable[[], dict]:
    """Train and publish now."""
    from jobs.train import train as work

    return lambda: work(datetime.now(UTC))


@pytest.fixture
def advised(session):
    """Work the advice out as it would be tonight."""
    return lambda: advice.make(session, None, datetime.now(UTC))


@pytest.fixture
def shop(session, sold_daily, train, advised):
    """Two vendors, three products that are to be ordered, and one that nobody offers."""
    near, far = a_vendor(session, name="Near & Co"), a_vendor(session, name="Far *Trade*", order_minimum=500)
    made = {
        "near": near,
        "far": far,
        "lamp": sold_daily(left=4, name="Desk lamp"),
        "rope": sold_daily(left=2, name="Rope *12 mm*"),
        "glue": sold_daily(left=3, name="Wood glue"),
        "lost": sold_daily(left=3, name="Nobody sells this"),
    }
    an_offer(session, made["lamp"], near, prices={1: 5}, order_multiple=Decimal(6))
    an_offer(session, made["rope"], near, prices={1: 3})
    an_offer(session, made["rope"], far, prices={1: 9}, lead_time_days=2)
    an_offer(session, made["glue"], far, prices={1: 4})
    train()
    advised()
    return made


@pytest.fixture
def lamp(session):
    """A product with the code of a piece and the code of a carton of twelve."""
    product, actor = (
        a_product(session, 41, sku="LAMP", name="Desk *lamp*", reorder_threshold=30),
        an_actor(session),
    )
    catalogue.add_barcode(session, actor, product.id, "4006381333931")
    catalogue.add_barcode(session, actor, product.id, "4006381333948", 12)
    return product


@pytest.fixture
def bolt(session):
    """Another product, with little of it."""
    product = a_product(session, 8, sku="BOLT", name="M6 bolt")
    catalogue.add_barcode(session, an_actor(session), product.id, "0036000291452")
    return product


def words(app: AppTest) -> str:
    """Everything the page says, for looking for a sentence."""
    shown = [
        *app.title,
        *app.subheader,
        *app.markdown,
        *app.caption,
        *app.error,
        *app.success,
        *app.info,
        *app.warning,
    ]
    return "\n".join(
        [*(str(element.value) for element in shown), *(str(metric.value) for metric in app.metric)]
    )


def plain(text: str) -> str:
    """Markdown without its backslashes."""
    return text.replace("\\", "").replace("\u2060", "")
