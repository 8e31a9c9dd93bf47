"""All tables, importable as `from db import models` or by name."""

from db.models.base import Base
from db.models.catalog import Barcode, Product, Vendor, VendorPrice, Warehouse
from db.models.insight import STATUSES, Forecast, Import, ImportIssue, ImportLine, ModelRun, RunOut
from db.models.jobs import JobRun, Worker
from db.models.people import ROLES, AuditLine, Person, Shop, SignIn, SignInAttempt
from db.models.stock import MOVEMENT_TYPES, Movement, Posting, PostingLine, Reason, StockDay, StockLevel

__all__ = [
    "MOVEMENT_TYPES",
    "ROLES",
    "STATUSES",
    "AuditLine",
    "Barcode",
    "Base",
    "Forecast",
    "Import",
    "ImportIssue",
    "ImportLine",
    "JobRun",
    "ModelRun",
    "Movement",
    "Person",
    "Posting",
    "PostingLine",
    "Product",
    "Reason",
    "RunOut",
    "Shop",
    "SignIn",
    "SignInAttempt",
    "StockDay",
    "StockLevel",
    "Vendor",
    "VendorPrice",
    "Warehouse",
    "Worker",
]
