"""A purchase order on paper (PDF) and as a table (CSV), as the vendor gets it."""

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from core.buying.order_looks import Detail, Line
from core.datasets.formulas import marked
from core.posting import plain

if TYPE_CHECKING:
    from fpdf import FPDF

COLUMNS = (
    "order", "state", "vendor", "vendor_sku", "sku", "product", "warehouse", "quantity", "unit", "unit_price",
    "value", "currency", "expected_on", "received", "given_up", "open", "note",
)  # fmt: skip
FONT = "DejaVu"  # has Latin, Greek and Cyrillic letters; the fonts of PDF itself have Latin only
MARGIN_MM = 15
SMALL, NORMAL, LARGE, STAMP = 8, 9, 15, 22  # points
LINE_MM = 4.6
GRAY, BLACK, RED = 110, 0, (176, 32, 32)
STAMPS = {"draft": "DRAFT – not sent", "cancelled": "CANCELLED"}
HEADINGS = ("Your number", "Product", "Deliver to", "Expected", "Quantity", "Price", "Amount")
WIDTHS = (26, 52, 20, 21, 20, 18, 23)  # millimetres; together the page between its margins
ALIGNED = ("LEFT", "LEFT", "LEFT", "LEFT", "RIGHT", "RIGHT", "RIGHT")


def money(value: Decimal) -> str:
    """12.50, 1,234.5678: two decimals, four where the last two say something."""
    decimals = 2 if value == round(value, 2) else 4
    return f"{value:,.{decimals}f}"


def quantity(line: Line) -> str:
    """12, 2.5 m: with the unit, but for pieces."""
    unit = "" if line.unit_of_measure == "each" else f" {line.unit_of_measure}"
    return f"{plain(line.quantity)}{unit}"


def places(detail: Detail) -> list[str]:
    """Where the order is to be delivered, one text for each warehouse: code, name, location."""
    return [
        f"{place.code}: {', '.join(part for part in (place.name, place.location) if part)}"
        for place in detail.warehouses
    ]


# -- CSV -----------------------------------------------------------------------------------------------------


def table(detail: Detail) -> bytes:
    """The lines as CSV (UTF-8 with the mark that spreadsheets need); no text can be taken for a formula."""
    order = detail.order
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    for line in detail.lines:
        row = (
            order.number, order.state, detail.vendor.name, line.vendor_sku, line.sku, line.name,
            line.warehouse_code, line.quantity, line.unit_of_measure, line.unit_price, line.value,
            order.currency, line.expected_on, line.received, line.given_up, line.open, line.note,
        )  # fmt: skip
        writer.writerow([_cell(value) for value in row])
    return written.getvalue().encode("utf-8-sig")


def _cell(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    return "" if value is None else marked(str(value))


# -- PDF -----------------------------------------------------------------------------------------------------


def pdf(detail: Detail) -> bytes:
    """The order on A4: addresses, lines with the vendor's numbers, totals, where to deliver.

    A draft and a cancelled order say so in large letters. Signs that the font lacks are drawn as boxes.
    """
    page = _paper(detail)
    page.add_page()
    _head(page, detail)
    _lines(page, detail)
    _totals(page, detail)
    _foot(page, detail)
    return bytes(page.output())


def _paper(detail: Detail) -> "FPDF":
    import matplotlib  # it brings the font
    from fpdf import FPDF

    number = detail.order.number

    class Paper(FPDF):
        def footer(self) -> None:
            self.set_y(-MARGIN_MM)
            self.set_font(FONT, size=SMALL)
            self.set_text_color(GRAY)
            self.cell(0, LINE_MM, f"{number}   {self.page_no()} / {{nb}}", align="C")
            self.set_text_color(BLACK)

    paper = Paper(format="A4")
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    paper.add_font(FONT, "", str(fonts / "DejaVuSans.ttf"))
    paper.add_font(FONT, "B", str(fonts / "DejaVuSans-Bold.ttf"))
    paper.set_margins(MARGIN_MM, MARGIN_MM)
    paper.set_auto_page_break(True, margin=MARGIN_MM + 2 * LINE_MM)
    paper.set_title(number)
    paper.set_author(_kept(detail.shop_name))
    paper.set_creation_date(detail.order.sent_at or detail.order.created_at)
    paper.set_font(FONT, size=NORMAL)
    return paper


def _head(page: "FPDF", detail: Detail) -> None:
    order, vendor = detail.order, detail.vendor
    if order.state in STAMPS:
        page.set_font(FONT, "B", STAMP)
        page.set_text_color(*RED)
        page.cell(0, STAMP / 2, STAMPS[order.state], align="C", new_x="LMARGIN", new_y="NEXT")
        page.set_text_color(BLACK)
    page.set_font(FONT, size=NORMAL)
    _text(page, detail.shop_name)
    page.set_font(FONT, "B", LARGE)
    page.cell(0, 2 * LINE_MM, f"Purchase order {order.number}", new_x="LMARGIN", new_y="NEXT")
    page.ln(LINE_MM / 2)
    top, half = page.get_y(), page.epw / 2
    page.set_font(FONT, size=NORMAL)
    told = [vendor.name, vendor.contact_name, vendor.address, vendor.email, vendor.phone]
    page.multi_cell(half, LINE_MM, "\n".join(_kept(part) for part in told if part), align="L")
    bottom = page.get_y()
    days = [
        ("Ordered on", order.sent_on),
        ("Expected on", detail.facts.arrives_on),
        ("Your reference", order.vendor_reference),
        ("Ordered by", detail.sent_by or detail.created_by),
        ("Currency", order.currency),
    ]
    page.set_xy(page.l_margin + half, top)
    facts = "\n".join(f"{name}: {_kept(str(value))}" for name, value in days if value)
    page.multi_cell(half, LINE_MM, facts, align="L", new_x="LMARGIN", new_y="NEXT")
    page.set_y(max(bottom, page.get_y()) + LINE_MM)


def _lines(page: "FPDF", detail: Detail) -> None:
    page.set_font(FONT, size=SMALL)
    page.set_draw_color(200)
    with page.table(
        width=sum(WIDTHS), col_widths=WIDTHS, text_align=ALIGNED, line_height=LINE_MM, align="LEFT",
        borders_layout="HORIZONTAL_LINES", padding=1, v_align="TOP",
    ) as drawn:  # fmt: skip
        drawn.row(HEADINGS)
        for line in detail.lines:
            about = [line.sku, line.name, line.note]
            drawn.row(
                (
                    _kept(line.vendor_sku or ""), "\n".join(_kept(part) for part in about if part),
                    _kept(line.warehouse_code), str(line.expected_on or ""), _kept(quantity(line)),
                    money(line.unit_price), money(line.value),
                )
            )  # fmt: skip


def _totals(page: "FPDF", detail: Detail) -> None:
    facts, currency = detail.facts, detail.order.currency
    page.ln(LINE_MM / 2)
    page.set_font(FONT, size=NORMAL)
    sums = [("Goods", facts.goods), ("Freight", facts.freight)]
    for name, value in sums:
        said = "not agreed" if value is None else f"{money(value)} {currency}"
        page.cell(0, LINE_MM + 1, f"{name}   {said}", align="R", new_x="LMARGIN", new_y="NEXT")
    page.set_font(FONT, "B", NORMAL)
    total = f"Total   {money(facts.total)} {currency}"
    page.cell(0, LINE_MM + 1, total, align="R", new_x="LMARGIN", new_y="NEXT")


def _foot(page: "FPDF", detail: Detail) -> None:
    page.ln(LINE_MM)
    page.set_font(FONT, "B", NORMAL)
    _text(page, "Deliver to")
    page.set_font(FONT, size=NORMAL)
    for place in places(detail):
        _text(page, place)
    if detail.order.note:
        page.ln(LINE_MM)
        _text(page, detail.order.note)


def _text(page: "FPDF", said: str) -> None:
    page.multi_cell(0, LINE_MM, _kept(said), align="L", new_x="LMARGIN", new_y="NEXT")


def _kept(said: str) -> str:
    """What can be printed of a text; lines stay lines."""
    return "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in said)
