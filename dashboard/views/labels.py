"""Labels for products, places and the commands of the scanner, as a file to print."""

import streamlit as st

from core import auth
from core.errors import RunoutError
from core.labels import label_choices, sheets
from core.labels.label_choices import Choice
from dashboard import editing, label_codes, label_paper, label_table, pickers, signin, ui
from dashboard.label_table import Row
from db.session import reading

KINDS = {"products": "Products", "places": "Places", "commands": "Commands"}
BY = {
    "none": "No copies yet",
    "one": "1 of each",
    "stock": "As many as on hand",
    "arrived": "As many as arrived",
}
NARROWED = ("q", "category", "without", "product")
WITHOUT = {"1": "Without a code"}


def address_list(word: str) -> list[str]:
    """Ids that the address names, separated by commas."""
    return [part for part in st.query_params.get(word, "").split(",") if part][: label_codes.MOST_IN_ADDRESS]


def draw_kinds() -> str:
    """What is labelled; each has a paper of its own, so another one starts with what it had."""
    usual = "places" if "warehouse" in st.query_params else "products"
    st.session_state["labels_what"] = pickers.in_address("What", "what", KINDS) or usual
    st.segmented_control(
        "What", list(KINDS), format_func=KINDS.get, key="labels_what", required=True, on_change=_other_kind,
        label_visibility="collapsed",
    )  # fmt: skip
    return st.session_state["labels_what"]


def _other_kind() -> None:
    st.query_params.from_dict({"what": st.session_state["labels_what"]})


# -- Products ------------------------------------------------------------------------------------------------


def draw_filters() -> tuple[dict, str]:
    """What is looked for, and how copies are counted."""
    usual = "arrived" if "order" in st.query_params else "none"
    if usual == "none" and any(word in st.query_params for word in NARROWED):
        usual = "one"
    if st.query_params.get("copies") == usual:
        pickers.remember("copies", None)
    hidden = {usual} if "order" in st.query_params else {usual, "arrived"}
    with st.container(key="filters"):
        search, category, without, copies = st.columns([2.2, 1, 1, 1])
        with search:
            text = pickers.words("Search", "q", "Name, SKU or barcode")
        with category:
            of_category = pickers.category()
        with without:
            only_without = pickers.choice("Codes", "without", WITHOUT, "With or without a code")
        with copies:
            options = {name: words for name, words in BY.items() if name not in hidden}
            by = pickers.choice("Copies", "copies", options, BY[usual]) or usual
    asked = {
        "text": text,
        "category": of_category,
        "without_code": bool(only_without),
        "product_uids": address_list("product"),
        "order_uid": st.query_params.get("order"),
    }
    return asked, by


def look(asked: dict) -> tuple[list[Choice], int, str | None]:
    """The codes that fit, how many products there are, and the order that was asked for by its number."""
    with reading() as session:
        order = asked["order_uid"]
        number = label_choices.order_number(session, person, order) if order else None
        return *label_choices.of_products(session, person, **asked), number


def draw_chips(choices: list[Choice], number: str | None) -> None:
    """What another page handed over; a press takes it away."""
    said = {"order": number and f"Arrived with {number}"}
    if "product" in st.query_params:
        names = list(dict.fromkeys(choice.name for choice in choices))
        said["product"] = names[0] if len(names) == 1 else f"{len(names)} products"
    said = {word: words for word, words in said.items() if words}
    if said:
        with st.container(horizontal=True, key="chips"):
            for word, words in said.items():
                st.button(
                    ui.safe_md(words), key=f"chip-{word}", icon=":material/close:", on_click=pickers.remember,
                    args=(word, None), help="Take this filter away.",
                )  # fmt: skip


def product_row(choice: Choice, by: str, with_price: bool) -> Row:
    write = ui.formats()
    usual = 0 if by == "none" else label_choices.copies(choice, by)
    has_price = with_price and choice.is_piece and choice.unit_price is not None
    label = label_choices.of_product(choice, write.price(choice.unit_price) if has_price else None)
    about = [
        ("SKU", choice.sku),
        ("Pieces", write.quantity(choice.pack_factor)),
        ("On hand", write.quantity(choice.on_hand)),
    ]
    if choice.arrived is not None:
        about.append(("Arrived", write.quantity(choice.arrived)))
    name = choice.name if choice.is_piece else f"{choice.name} × {write.quantity(choice.pack_factor)}"
    return Row(label, name, usual, tuple(about), str(choice.product_uid))


def draw_products() -> None:
    asked, by = draw_filters()
    choices, total, number = look(asked)
    draw_chips(choices, number)
    editing.draw_answer(codes, key="give_codes")
    if not choices:
        nothing(number)
        return
    table, side = st.columns([2.1, 1], gap="large")
    with side:
        paper = label_paper.draw_choice(mine, sheets.USUAL)
        with_price = draw_price()
    rows = [product_row(choice, by, with_price) for choice in choices]
    with table:
        draw_heading(choices, total)
        labels = label_table.draw(mine, rows)
        labels += others(rows, with_price)
    with side:
        label_paper.draw(slot, labels, paper)


def draw_heading(choices: list[Choice], total: int) -> None:
    shown, write = len({choice.product_id for choice in choices}), ui.formats()
    words = f"{write.number(total)} :gray[{'product' if total == 1 else 'products'}]"
    without = {choice.product_id: str(choice.product_uid) for choice in choices if choice.is_own}
    with ui.heading(words):
        if auth.may(person, "edit catalogue"):
            label_codes.draw(codes, without)
    if shown < total:
        st.markdown(f":gray[The first {write.number(shown)} by name are listed: search for the others.]")


def draw_price() -> bool:
    key = f"labels_{mine['form']}_price"
    st.session_state[key] = st.query_params.get("price") == "1"
    st.toggle(
        "Price on the label", key=key,
        on_change=lambda: pickers.remember("price", "1" if st.session_state[key] else None),
    )  # fmt: skip
    return st.session_state[key]


def others(rows: list[Row], with_price: bool) -> list:
    """Labels that were typed in on other lists, which are printed too."""
    wanted = label_table.of_other_lists(mine, rows)
    if not wanted:
        return []
    with reading() as session:
        found, _ = label_choices.of_products(
            session, person, product_uids={product for product, _ in wanted.values()}
        )
    made = [
        (product_row(choice, "none", with_price).label, wanted[choice.code][1])
        for choice in found
        if choice.code in wanted
    ]
    count = sum(copies for _, copies in made)
    with st.container(horizontal=True, vertical_alignment="center", key="others"):
        st.markdown(f"and **{count}** of other searches", width="content")
        st.button("Only this list", key="forget_others", on_click=label_table.forget, args=(mine,))
    return made


def nothing(number: str | None) -> None:
    if number and not any(word in st.query_params for word in NARROWED):
        ui.empty(f"Nothing of {ui.safe_md(number)} has arrived yet.", "Its labels are here once it has.",
                 button="All products", on_click=st.query_params.clear)  # fmt: skip
    elif any(word in st.query_params for word in (*NARROWED, "order")):
        ui.empty("No product fits these filters.", "Take one away, or search for part of a name or SKU.",
                 button="Clear the filters", on_click=st.query_params.clear)  # fmt: skip
    else:
        ui.empty("There is no product yet.", "Add products, then print their labels here.",
                 button="See products", page="views/products.py")  # fmt: skip


# -- Places and commands -------------------------------------------------------------------------------------


def draw_list(rows: list[Row], usual_paper: str) -> None:
    table, side = st.columns([2.1, 1], gap="large")
    with table:
        labels = label_table.draw(mine, rows)
    with side:
        label_paper.draw(slot, labels, label_paper.draw_choice(mine, usual_paper))


def draw_places() -> None:
    with reading() as session:
        labels = label_choices.of_places(session, person, address_list("warehouse"))
    if labels:
        draw_list([Row(one, f"{one.heading} {one.left}".strip(), 1) for one in labels], sheets.USUAL)
    else:
        way = {"button": "See warehouses", "page": "views/warehouses.py"}
        ui.empty("There is no place yet.", "A warehouse gets a label once it is made.",
                 **(way if auth.may(person, "edit catalogue") else {}))  # fmt: skip


def draw_commands() -> None:
    draw_list(
        [Row(one, f"{one.heading}: {one.left}", 1) for one in label_choices.of_commands()], sheets.OF_COMMANDS
    )


person = signin.require()
with ui.title_line("Labels", "Codes to stick on products, shelves and the scanner's board, as a PDF."):
    slot = st.container()
kind = draw_kinds()
mine, codes = editing.desk(f"labels {kind}"), editing.desk("labels codes")
try:
    {"products": draw_products, "places": draw_places, "commands": draw_commands}[kind]()
except RunoutError as refusal:
    ui.refused(refusal.sentence)
