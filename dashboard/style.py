"""The few rules that Streamlit's theme cannot say. Constants only: nothing computed ever becomes HTML."""

STYLE = """<style>
/* Figures line up. */
.stApp { font-variant-numeric: tabular-nums; }
/* One calm column, dense enough to work with. */
[data-testid="stMainBlockContainer"] { max-width: 1240px; padding-left: 2rem; padding-right: 2rem; }
[data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] { gap: 0.75rem; }
[data-testid="stHeading"] h1 { letter-spacing: -0.01em; padding: 0.25rem 0 0; }
[data-testid="stHeading"]:has(h1) { padding-bottom: 0.9rem; }
[data-testid="stHeading"] h2, [data-testid="stHeading"] h3 { padding: 0.5rem 0 0; }
[data-testid="stSidebar"] { min-width: 208px; max-width: 208px; }
[data-testid="stSidebarUserContent"] { font-size: 0.9rem; }
[data-testid="stSidebarNavLink"][aria-current="page"] { background: rgba(21, 94, 239, 0.1); }
[data-testid="stElementToolbar"] { display: none; }
[data-testid="stDecoration"], [data-testid="stStatusWidget"] { display: none; }
iframe[height="0"] { display: block; }
.st-key-carrier { position: absolute; height: 0; overflow: hidden; }
/* A link that follows itself takes no room until somebody has to press it. */
[data-testid="stLayoutWrapper"]:has(> [class*="st-key-saving-quiet-"]),
[data-testid="stLayoutWrapper"]:has(
  > [data-testid="stVerticalBlock"] > [data-testid="stLayoutWrapper"]:only-child
  > [class*="st-key-saving-quiet-"]
) {
  position: absolute; height: 0; overflow: hidden;
}
/* The five tiles: one button each. */
.st-key-tiles [data-testid="stElementContainer"] { min-width: 0; }
.st-key-tiles button {
  width: 100%; height: 100%; min-height: 84px; padding: 0.65rem 0.9rem; justify-content: flex-start;
  text-align: left; border-radius: 8px;
}
.st-key-tiles button > div { justify-content: flex-start; width: 100%; }
.st-key-tiles button p { white-space: normal; line-height: 1.35; font-size: 0.86rem; text-align: left; }
.st-key-tiles button p strong { font-size: 1.55rem; font-weight: 650; line-height: 1.25; }
.st-key-tiles button[kind="primary"] {
  background: transparent; color: inherit; border: 2px solid currentColor; border-color: #155EEF;
}
/* Product header: figures side by side. */
.st-key-facts [data-testid="stMetric"] { padding: 0.1rem 0; }
[data-testid="stMetricLabel"] p { font-size: 0.8rem; opacity: 0.75; }
[data-testid="stMetricValue"] { line-height: 1.3; }
[data-testid="stMetricDelta"] { background: transparent; padding: 0; }
/* The bar under a write: before, after, Undo, in one line. */
.st-key-booked { border-radius: 8px; }
/* The sign-in form belongs to another library: its button is made the main one here. */
.st-key-sign_in_form { max-width: 420px; }
[data-testid="stForm"] [data-testid="stElementContainer"]:has(.stFormSubmitButton) { width: 100%; }
[data-testid="stForm"] .stFormSubmitButton, [data-testid="stForm"] .stFormSubmitButton button { width: 100%; }
[data-testid="stForm"] .stFormSubmitButton button {
  background: #155EEF; border-color: #155EEF; color: #FFFFFF; font-weight: 600;
}
/* Chosen, in both themes: the accent is too dark for words on a dark page. */
.stApp .stButtonGroup button[role="radio"][aria-checked="true"] * { color: inherit; }
.stApp .stButtonGroup button[role="radio"][aria-checked="true"] { color: inherit; font-weight: 600; }
/* The way into a table for those without a mouse: there when the Tab key comes by. */
[data-testid="stLayoutWrapper"]:has(> [class*="st-key-keyboard-"]:not(:focus-within)) {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
}
/* The list of kinds of files says nothing to somebody who takes a photo. */
.st-key-photo [data-testid="stFileUploaderDropzoneInstructions"] { display: none; }
/* Weeks of a forecast: columns, and on a phone a row each; a field with a value of people's is marked. */
.st-key-weeks-form [data-testid="stColumn"] { min-width: 0; }
.st-key-weeks-form [data-testid="stMarkdownContainer"] { text-align: right; }
.st-key-weeks-form input { text-align: right; padding: 0.35rem 0.4rem; }
.st-key-weeks-form [data-testid="stColumn"]:first-child [data-testid="stMarkdownContainer"] {
  text-align: left;
}
.st-key-weeks-form [data-testid="stColumn"]:first-child [data-testid="stElementContainer"]:nth-child(2),
.st-key-weeks-form [data-testid="stColumn"]:first-child [data-testid="stElementContainer"]:nth-child(3) {
  min-height: 38px; display: flex; align-items: center;
}
[class*="st-key-edited-adds-"] [data-testid="stTextInputRootElement"],
[class*="st-key-edited-replaces-"] [data-testid="stTextInputRootElement"] {
  border-color: #A16207; box-shadow: 0 0 0 1px #A16207;
}
/* Reorder: a card for each vendor, and lines with a field each. */
[class*="st-key-vendor-card-"] {
  border: 1px solid rgba(102, 112, 133, 0.28); border-radius: 8px; padding: 0.45rem 0.7rem 0.5rem;
}
[class*="st-key-vendor-card-"]:has(button[kind="primary"]) { border: 2px solid #155EEF; }
[class*="st-key-vendor-card-"] button, [class*="st-key-vendor-card-"] button:hover {
  background: transparent; border: 0; padding: 0; min-height: 0; color: inherit; justify-content: flex-start;
}
[class*="st-key-vendor-card-"] button > div { justify-content: flex-start; width: 100%; }
[class*="st-key-vendor-card-"] button p { text-align: left; white-space: normal; line-height: 1.4; }
[class*="st-key-vendor-card-"] button p strong { font-size: 1.15rem; font-weight: 650; }
[class*="st-key-vendor-card-"] [data-testid="stProgress"] p { font-size: 0.85rem; opacity: 0.8; }
[class*="st-key-vendor-card-"] [data-testid="stCaptionContainer"] { margin: 0; }
[class*="st-key-vendor-card-"] [data-testid="stCaptionContainer"] p { font-size: 0.85rem; margin: 0; }
[class*="st-key-row-"] { border-top: 1px solid rgba(102, 112, 133, 0.2); padding: 0.45rem 0; }
[class*="st-key-row-"] [data-testid="stMarkdownContainer"] p { line-height: 1.45; }
[class*="st-key-row-"] [data-testid="stNumberInput"] input { text-align: right; padding: 0.35rem 0.5rem; }
[class*="st-key-row-"] [data-testid="stNumberInput"] button,
[class*="st-key-row-"] [data-testid="stNumberInputClearIcon"] { display: none; }
[class*="st-key-row-"] button[kind="tertiary"] { padding: 0; min-height: 1.75rem; }
.st-key-why table { width: 100%; }
.st-key-why table th { display: none; }
.st-key-why table td { border-left: 0; border-right: 0; }
.st-key-why table td:first-child { text-align: right; white-space: nowrap; }
/* Lines of an order: a row each, and on a phone a card with its labels. */
[class*="st-key-order-row-"] [data-testid="stColumn"] { min-width: 0; }
[class*="st-key-order-row-"] { border-top: 1px solid rgba(128, 128, 128, 0.2); padding-top: 0.35rem; }
.st-key-order-head { margin-bottom: -0.4rem; }
/* Scan: everything a thumb hits is 44 px high; the band says with its edge what its words say. */
.st-key-scan-head button, .st-key-scan-band button, .st-key-scan-asks button, .st-key-scan-card button,
[class*="st-key-count-"] button, .st-key-scan-ways button, .st-key-scan-recent button { min-height: 44px; }
.st-key-scan-keys button, [class*="st-key-count-keys-"] button { min-height: 48px; min-width: 56px; }
.st-key-scan-chips button { border-radius: 22px; }
[class*="st-key-scan-tone-"] {
  border-left: 6px solid; border-radius: 8px; padding: 0.6rem 0.8rem; gap: 0.5rem;
}
[class*="st-key-scan-tone-"] [data-testid="stMarkdownContainer"] p { line-height: 1.4; }
[class*="st-key-scan-tone-"] > :first-child [data-testid="stMarkdownContainer"] p { font-size: 1.15rem; }
.st-key-scan-tone-yes { border-color: #0F766E; background: rgba(15, 118, 110, 0.12); }
.st-key-scan-tone-low { border-color: #C2410C; background: rgba(194, 65, 12, 0.12); }
.st-key-scan-tone-no { border-color: #B42318; background: rgba(180, 35, 24, 0.14); }
.st-key-scan-tone-calm { border-color: #667085; background: rgba(102, 112, 133, 0.12); }
[class*="st-key-scan-row-"] { border-top: 1px solid rgba(128, 128, 128, 0.2); padding: 0.3rem 0; }
/* A finding: its product's name begins where its sentence does. */
[class*="st-key-named-"] [data-testid="stPageLink"] a { padding-left: 0; }
[class*="st-key-list-head-"] { padding-bottom: 0.4rem; }
/* Tables come in two widths, and the screen decides (grid.py). */
[class*="st-key-narrow-"] { display: none; }
@media (min-width: 641px) { .st-key-person { position: fixed; bottom: 1.25rem; width: 170px; } }
@media (max-width: 640px) {
  [class*="st-key-scan-sheet-"] {
    position: fixed; left: 0; right: 0; bottom: 0; z-index: 90; max-height: 62vh; overflow-y: auto;
    padding: 0.5rem 0.75rem calc(0.6rem + env(safe-area-inset-bottom));
    box-shadow: 0 -4px 16px rgba(16, 24, 40, 0.2);
  }
  [class*="st-key-scan-sheet-"]:empty { display: none; }
  .st-key-scan-sheet-light { background: #FFFFFF; }
  .st-key-scan-sheet-dark { background: #0F1420; }
  [data-testid="stMainBlockContainer"]:has([class*="st-key-scan-sheet-"]) { padding-bottom: 40vh; }
  .st-key-scan-modes [role="radiogroup"] { display: grid; grid-template-columns: repeat(3, 1fr); }
  [class*="st-key-narrow-"] { display: flex; }
  [class*="st-key-wide-"] { display: none; }
  .st-key-weeks-form [data-testid="stHorizontalBlock"] { flex-direction: column; gap: 0.4rem; }
  .st-key-weeks-form [data-testid="stColumn"] { width: 100%; flex: none; }
  .st-key-weeks-form [data-testid="stColumn"] > [data-testid="stVerticalBlock"] {
    display: grid; grid-template-columns: 84px 1fr 1fr 56px; align-items: center; gap: 0.4rem;
  }
  .st-key-weeks-form [data-testid="stColumn"]:first-child [data-testid="stMarkdownContainer"] {
    text-align: right;
  }
  .st-key-weeks-form [data-testid="stColumn"]:first-child [data-testid="stElementContainer"] {
    justify-content: flex-end;
  }
  .st-key-vendors { display: grid; grid-template-columns: 1fr 1fr; gap: 0.5rem; }
  .st-key-vendors > * { min-width: 0; }
  .st-key-line-head { display: none; }
  [class*="st-key-row-"] > [data-testid="stLayoutWrapper"] > :has(> [data-testid="stColumn"]) {
    display: grid; grid-template-columns: 28px 1fr 1fr; gap: 0.35rem 0.6rem; align-items: center;
  }
  [class*="st-key-row-"] > [data-testid="stLayoutWrapper"] > :has(> [data-testid="stColumn"]) > * {
    min-width: 0; width: 100%;
  }
  [class*="st-key-row-"] > [data-testid="stLayoutWrapper"] > :has(> [data-testid="stColumn"])
    > :nth-child(2) { grid-column: 2 / -1; }
  [class*="st-key-row-"] > [data-testid="stLayoutWrapper"] > :has(> [data-testid="stColumn"])
    > :is(:nth-child(3), :nth-child(5), :nth-child(7)) { grid-column: 2; }
  [class*="st-key-row-"] > [data-testid="stLayoutWrapper"] > :has(> [data-testid="stColumn"])
    > :is(:nth-child(3), :nth-child(5), :nth-child(7))::before { font-size: 0.8rem; opacity: 0.7; }
  [class*="st-key-row-"] > [data-testid="stLayoutWrapper"] > :has(> [data-testid="stColumn"])
    > :nth-child(3)::before { content: "On hand"; }
  [class*="st-key-row-"] > [data-testid="stLayoutWrapper"] > :has(> [data-testid="stColumn"])
    > :nth-child(5)::before { content: "Order"; }
  [class*="st-key-row-"] > [data-testid="stLayoutWrapper"] > :has(> [data-testid="stColumn"])
    > :nth-child(7)::before { content: "Order by"; }
  .st-key-order-head { display: none; }
  [class*="st-key-order-row-"] [data-testid="stHorizontalBlock"] {
    display: grid; grid-template-columns: 1fr 1fr; gap: 0.4rem 0.75rem;
  }
  [class*="st-key-order-row-"] [data-testid="stColumn"] { width: 100%; }
  [class*="st-key-order-row-"] [data-testid="stColumn"]:first-child { grid-column: 1 / -1; }
  [class*="st-key-order-row-"] [data-testid="stWidgetLabel"] { display: flex !important; min-height: 1.2rem; }
  [class*="st-key-row-"] button[kind="tertiary"] { min-height: 44px; padding: 0 0.4rem; }
  [class*="st-key-row-"] [data-testid="stCheckbox"] label { min-height: 44px; min-width: 28px; }
  .st-key-key-rights [data-testid="stCheckbox"] label { min-height: 44px; align-items: center; }
  [data-testid="stDateInputField"] { min-height: 44px; }
  [data-testid="stMainBlockContainer"] { padding-left: 1rem; padding-right: 1rem; }
  .st-key-tiles [data-testid="stGrid"], .st-key-tiles > div { grid-template-columns: 1fr 1fr !important; }
  .st-key-tiles [data-testid="stGrid"] > :last-child, .st-key-tiles > div > :last-child {
    grid-column: 1 / -1;
  }
  .st-key-filters [data-testid="stHorizontalBlock"] {
    display: grid; grid-template-columns: 1fr 1fr; gap: 0.6rem;
  }
  .st-key-filters [data-testid="stHorizontalBlock"] > :first-child { grid-column: 1 / -1; }
  .st-key-filters [data-testid="stColumn"] { min-width: 0; width: 100%; }
  [class*="st-key-pairs-"] [data-testid="stHorizontalBlock"] {
    display: grid; grid-template-columns: 1fr 1fr; gap: 0.6rem;
  }
  [class*="st-key-pairs-"] [data-testid="stColumn"] { min-width: 0; width: 100%; }
  .st-key-tiles button { min-height: 76px; padding: 0.5rem 0.65rem; }
  .stButton button, .stDownloadButton button, .stFormSubmitButton button, .stPopover button {
    min-height: 44px;
  }
  .stButtonGroup button, .stExpander summary, [data-testid="stPageLink"] a { min-height: 44px; }
  [data-testid="stNumberInputStepDown"], [data-testid="stNumberInputStepUp"] { width: 44px; }
  [data-testid="stPagination"] button { min-width: 36px; min-height: 44px; }
  [data-testid="stExpandSidebarButton"], [data-testid="stSidebarCollapseButton"] button {
    min-width: 44px; min-height: 44px;
  }
  [data-testid="stSidebarNavLink"] { min-height: 44px; }
  [data-testid="stTooltipIcon"] button { position: relative; }
  [data-testid="stTooltipIcon"] button::after {
    content: ""; position: absolute; inset: -15px -13px -15px -15px; }
  [class*="st-key-reason_"] [role="radiogroup"] label { min-height: 44px; align-items: center; }
  .stTextInput input, .stSelectbox > div > div, .stNumberInput input { min-height: 44px; }
  [data-testid="stTextInputRootElement"], [data-testid="stNumberInputContainer"] {
    min-height: 44px; height: auto; }
}
</style>"""

FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">'
    '<path d="M3 5 H8 V10 H13 V15 H18 V20" fill="none" stroke="#155EEF" stroke-width="4"/></svg>'
)
WORDMARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="24" viewBox="0 0 120 24">'
    '<path d="M2 5 H7 V10 H12 V15 H17 V20" fill="none" stroke="#155EEF" stroke-width="3"/>'
    '<text x="26" y="18" font-family="Source Sans, Helvetica, Arial, sans-serif" font-size="18" '
    'font-weight="700" fill="COLOUR">Runout</text></svg>'
)
WORDMARK_LIGHT = WORDMARK.replace("COLOUR", "#101828")
WORDMARK_DARK = WORDMARK.replace("COLOUR", "#E6E9EF")
