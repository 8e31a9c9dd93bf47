"""The base class of all tables and the column types they share."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from sqlalchemy import BigInteger, DateTime, Identity, MetaData, Numeric, Uuid, func, text
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Declarative base; constraint names are fixed here so that migrations can name them."""

    metadata = MetaData(naming_convention=NAMES)


small_id = Annotated[int, mapped_column(Identity(always=True), primary_key=True)]
"""Master rows: joins, ledger and roll-up use this small number; it never leaves the house."""

big_id = Annotated[int, mapped_column(BigInteger, Identity(always=True), primary_key=True)]

uid = Annotated[uuid.UUID, mapped_column(Uuid, unique=True, server_default=text("gen_random_uuid()"))]
"""The id that leaves the house."""

quantity = Annotated[Decimal, mapped_column(Numeric(18, 4))]
money = Annotated[Decimal, mapped_column(Numeric(14, 4))]
moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
moment_now = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]
