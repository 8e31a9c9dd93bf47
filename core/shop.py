"""The shop's own settings: its name, currency, locale and time zone, and what day it is there."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Shop


def get(session: Session) -> Shop:
    """The one row of settings."""
    return session.execute(select(Shop)).scalar_one()


def today(shop: Shop, now: datetime) -> date:
    """The business day in the shop's time zone."""
    return now.astimezone(ZoneInfo(shop.time_zone)).date()
