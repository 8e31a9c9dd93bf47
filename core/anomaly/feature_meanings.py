"""The data dictionary: every number that the learner sees of a line, and what it means.

Arithmetic: no session, no clock.
"""

from core.anomaly.lines import KINDS

WITNESSES = {
    "lean": "the product, leaning with document and customer",
    "product": "the product",
    "band": "the price band",
    "pair": "this customer's lines of the product",
    "document": "the document so far",
    "customer": "the customer's newest lines",
}
_OF_MEANT = {
    **{
        f"by_{name}": f"log odds of the likeliest right quantity by {words}."
        for name, words in WITNESSES.items()
    },
    "odds": "its log odds by all of them.",
    "size": "its doublings.",
    "from_usual": "its doublings above what is usual where one leans like this.",
    "from_document": "its doublings above the mean of the document so far.",
}
MEANINGS: dict[str, str] = {
    **{f"odds_{kind}": f"Log odds of the error {kind} against a real line." for kind in KINDS},
    "likely_best": "The highest of the log odds, each with how common its error is.",
    "likely_second": "The second highest of them.",
    "likely_all": "The log of all of them summed: how likely any error is.",
    "likely_of_quantity": "The same over the errors of a quantity.",
    "size": "Doublings of the quantity.",
    "size_chance": "Log chance of the quantity, given product, price, document and customer.",
    "size_chance_all": "Log chance of the quantity among all lines of the price band.",
    "size_above_usual": "Doublings above what is usual for the product.",
    "size_deviation": "The same in the product's own standard deviations.",
    "size_above_newest": "Doublings above the product's newest line of this flow.",
    "size_above_largest": "Doublings above the largest earlier line of the product in this flow.",
    "size_of_product": "Doublings that are usual for the product.",
    "size_seen": "Share of the product's earlier lines with exactly this quantity.",
    "size_seen_at_price": "Share of its lines at this price with exactly this quantity.",
    "size_larger": "Share of its earlier lines that are at least as large.",
    "size_against_customer": "Doublings above the mean of the customer's newest lines.",
    "size_against_document": "Doublings above the mean of the document so far.",
    "size_against_pair": "Doublings above what this customer last took of the product.",
    "size_against_pair_mean": "Doublings above what this customer took of the product on average.",
    "lean": "Doublings that this document and customer take above usual.",
    "size_above_lean": "Doublings above what is usual where document and customer lean like this.",
    **{
        f"{side}_{name}": f"Where too {side.split('_')[1]} may have been booked: {meaning}"
        for side in ("too_much", "too_little")
        for name, meaning in _OF_MEANT.items()
    },
    **{
        f"chance_{name}": f"Log chance of the quantity by {words} alone." for name, words in WITNESSES.items()
    },
    "multiple_12": "Whether the quantity is a multiple of 12.",
    "multiple_10": "Whether it is a multiple of 10.",
    "multiple_6": "Whether it is a multiple of 6.",
    "last_digits_zero": "How many zeros the quantity ends in.",
    "packs_in_document": "Share of the document so far with multiples of 6 or 10.",
    "packs_of_product": "Share of the product's earlier lines with multiples of 6 or 10.",
    "ones_of_product": "Share of the product's earlier lines with a single piece.",
    "ones_in_document": "Share of the document so far with a single piece.",
    "flow": "What kind of movement it is, as a number.",
    "is_in": "Whether it comes in.",
    "turn": "Log odds that a line like this goes the other way.",
    "document_turned": "Share of the document so far that goes the other way than this line.",
    "log_price": "Log of the price.",
    "price_chance": "Log chance of the price, given the product's history and the quantity.",
    "price_above_newest": "Log of the price over the product's newest.",
    "price_above_mean": "Log of the price over the product's decayed mean.",
    "price_above_list": "Log of the price over the list price.",
    "price_seen": "Share of the product's earlier lines at this price, newer ones counting more.",
    "size_at_price": "Doublings that are usual at this price, above the product's.",
    "money": "Log of quantity times price.",
    "money_in_document": "Log share of the line in the money of the document so far.",
    "seen": "Log of how many earlier lines of the product are known.",
    "since_movement": "Log of the days since the product last moved.",
    "after": "On hand after it over the quantity, squeezed; 0 where nobody knows.",
    "is_short": "Whether more leaves than is on hand.",
    "hour": "Log of how usual the hour is at the place.",
    "weekday": "Log of how usual the weekday is at the place.",
    "document_lines": "Log of how many lines the document has so far.",
    "document_size": "Mean doublings of the document so far.",
    "document_spread": "How far they scatter.",
    "customer_lines": "Log of how many earlier lines of the customer are known.",
    "customer_size": "Mean doublings of the customer's newest lines.",
    "is_anonymous": "Whether nobody knows the customer.",
    "pair_lines": "How many earlier lines this customer has of the product.",
    "pair_days": "Log of the days since the last of them.",
    "twins": "Exact repeats before it in its document.",
    "twin_gap": "Lines between it and the newest exact repeat; -1 without one.",
    "alike": "Other lines of the product in its document.",
    "product_twins": "Share of the product's earlier lines that have a fellow in their own document.",
    "customer_twins": "How many of the customer's newest lines repeat a product in their document.",
    "fellows": "Lines of the document so far that have a fellow of the same product, its own left out.",
    "twin_far": "How far back in the document its newest repeat is: 0 without one, 1: its first line.",
    "repeats": "Other exact repeats in the document.",
    "twin_and_more": "Whether it is an exact repeat of more than one piece in a document without others.",
    "last_7_days": "Log of the product's pieces in this flow in the 7 days before.",
    "last_28_days": "The same for 28 days.",
    "last_90_days": "The same for 90 days.",
    "size_of_week": "Log of the quantity over the mean week of the last 28 days.",
    "size_of_forecast": "Log of the quantity over a week of the forecast; 0 where there is none.",
}
