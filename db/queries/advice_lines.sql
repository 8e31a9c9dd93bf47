-- What is to be ordered or moved, and what did buyers make of it?
-- One row: a line of the advice that is shown, with the buyer's choice worked in: quantity, vendor and unit cost
-- are what counts, computed_* what the run says; state is open, snoozed, in draft or ordered (since the run).
-- total_count is that of all pages.
-- Without with_receipts terms and vendors are null: they are long.
-- Parameters: today; with_receipts; until (the end of the horizon; null: all lines, those with nothing to do
-- among them);
-- advice_uid, product_ids, vendor_uid, text_like (each may be null); no_vendor; kind (order, transfer or null);
-- only_open; rise (of the chance that ends a snooze); late (the chance from which a transfer comes too late);
-- sort (urgency, value, lost, sku, name, vendor); most; offset. most may be null.
-- The status of an order is that of its run-out, which counts with a vendor's lead time. A transfer is there
-- sooner: it is out, late, or has none.
WITH shown AS (
    SELECT a.*, run.made_at
    FROM advice AS a
    JOIN advice_run AS run ON run.id = a.run_id AND run.is_current
    WHERE (CAST(:product_ids AS integer[]) IS NULL OR a.product_id = ANY(CAST(:product_ids AS integer[])))
      AND (CAST(:advice_uid AS uuid) IS NULL OR a.uid = CAST(:advice_uid AS uuid))
), ordered AS (
    SELECT DISTINCT ON (line.product_id, line.warehouse_id)
           line.product_id, line.warehouse_id, o.uid, o.number, o.state = 'draft' AS is_draft, line.quantity
    FROM purchase_order AS o
    JOIN purchase_order_line AS line ON line.order_id = o.id
    WHERE o.state = 'draft'
       OR (o.state IN ('sent', 'partly_received', 'received')
           AND o.sent_at >= (SELECT made_at FROM advice_run WHERE is_current))
    ORDER BY line.product_id, line.warehouse_id, o.state = 'draft' DESC, o.id DESC
), lines AS (
    SELECT a.id, a.uid, a.product_id, a.warehouse_id, a.offer_id, a.from_warehouse_id,
           a.quantity AS computed_quantity, a.vendor_id AS computed_vendor_id,
           a.unit_cost AS computed_unit_cost, a.level, a.on_hand, a.due, a.needed_on, a.next_quantity,
           a.order_by_on, a.arrives_on, a.chance, a.lost_money, a.daily_rate, a.service_percent, a.reason,
           a.one_off, a.made_at,
           CASE WHEN :with_receipts THEN a.terms END AS terms,
           CASE WHEN :with_receipts THEN a.vendors END AS vendors,
           CASE WHEN a.action = 'transfer' THEN 'transfer'
                WHEN a.action = 'order' OR a.needed_on IS NOT NULL OR c.quantity > 0 THEN 'order'
                ELSE 'none' END AS action,
           coalesce(c.quantity, CASE WHEN a.quantity > 0 THEN a.quantity ELSE a.next_quantity END) AS quantity,
           coalesce(c.vendor_id, a.vendor_id) AS vendor_id,
           (c.quantity IS NOT NULL OR c.vendor_id IS NOT NULL) AS is_edited,
           coalesce(c.quantity > 0, false) AS is_asked_for,
           c.vendor_id AS chosen_vendor_id, c.chosen_by, c.chosen_at, c.snoozed_until, c.snoozed_chance,
           ordered.uid AS order_uid, ordered.number AS order_number, ordered.quantity AS order_quantity,
           CASE WHEN ordered.is_draft THEN 'in draft'
                WHEN ordered.uid IS NOT NULL THEN 'ordered'
                WHEN (c.snoozed_until IS NOT NULL OR c.snoozed_chance IS NOT NULL)
                     AND (c.snoozed_until IS NULL OR c.snoozed_until > CAST(:today AS date))
                     AND (c.snoozed_chance IS NULL OR coalesce(a.chance, 0) < c.snoozed_chance + :rise)
                     THEN 'snoozed'
                ELSE 'open' END AS state
    FROM shown AS a
    LEFT JOIN advice_choice AS c ON c.product_id = a.product_id AND c.warehouse_id = a.warehouse_id
    LEFT JOIN ordered ON ordered.product_id = a.product_id AND ordered.warehouse_id = a.warehouse_id
), fitting AS (
    SELECT lines.*, p.uid AS product_uid, p.sku, p.name, p.unit_of_measure AS unit, p.category,
           vendor.uid AS vendor_uid, vendor.name AS vendor, vendor.exchange_rate,
           lines.quantity * coalesce(lines.computed_unit_cost, 0) AS sorting_value,
           r.p10_on, r.p90_on,
           CASE WHEN lines.action <> 'transfer' THEN r.status
                WHEN lines.on_hand <= 0 THEN 'out'
                WHEN lines.chance >= :late THEN 'late' END AS status
    FROM lines
    JOIN product AS p ON p.id = lines.product_id
    LEFT JOIN vendor ON vendor.id = lines.vendor_id
    LEFT JOIN LATERAL (
        -- What is bought for the whole shop is judged as the shop is, else as its own warehouse.
        SELECT r.status, r.p10_on, r.p90_on FROM run_out AS r
        JOIN warehouse AS w ON w.id = lines.warehouse_id
        WHERE r.product_id = lines.product_id
          AND (r.warehouse_id = w.id
               OR (r.warehouse_id IS NULL AND w.supplied_by_id IS NULL AND NOT EXISTS (
                   SELECT FROM warehouse AS other
                   WHERE other.is_active AND other.id <> w.id AND other.supplied_by_id IS DISTINCT FROM w.id)))
        ORDER BY r.warehouse_id NULLS FIRST LIMIT 1
    ) AS r ON true
    WHERE (CAST(:until AS date) IS NULL
           OR (lines.action <> 'none' AND (lines.needed_on <= CAST(:until AS date) OR lines.is_asked_for)))
      AND (CAST(:vendor_uid AS uuid) IS NULL
           OR (vendor.uid = CAST(:vendor_uid AS uuid) AND lines.action = 'order'))
      AND (NOT :no_vendor OR (vendor.id IS NULL AND lines.action = 'order'))
      AND (CAST(:kind AS text) IS NULL OR lines.action = :kind)
      AND (NOT :only_open OR lines.state = 'open')
      AND (CAST(:text_like AS text) IS NULL OR p.sku ILIKE :text_like OR p.name ILIKE :text_like)
), page AS (
    SELECT fitting.*, count(*) OVER () AS total_count,
           row_number() OVER (ORDER BY
               CASE :sort WHEN 'value' THEN -sorting_value WHEN 'lost' THEN -lost_money END,
               CASE :sort WHEN 'name' THEN lower(name) WHEN 'vendor' THEN lower(vendor)
                          WHEN 'sku' THEN sku END,
               CASE WHEN :sort = 'urgency'
                    THEN coalesce(array_position(ARRAY['out', 'late', 'order_now'], status), 4) END,
               CASE WHEN :sort = 'urgency' AND status IN ('out', 'late', 'order_now') THEN -lost_money END,
               CASE WHEN :sort = 'urgency' THEN needed_on END,
               CASE WHEN :sort IN ('urgency', 'vendor') THEN order_by_on END NULLS LAST,
               chance DESC NULLS LAST, sku, warehouse_id) AS place
    FROM fitting
    ORDER BY place
    LIMIT CAST(:most AS bigint) OFFSET :offset
)
SELECT page.*, w.uid AS warehouse_uid, w.code AS warehouse, origin.code AS from_warehouse,
       computed.uid AS computed_vendor_uid, computed.name AS computed_vendor, person.name AS edited_by,
       offer.minimum_order_quantity AS minimum, offer.order_multiple AS multiple,
       CASE WHEN page.is_edited AND page.action = 'order' THEN step.unit_price * page.exchange_rate
            ELSE page.computed_unit_cost END AS unit_cost,
       (page.on_hand <> now_there.on_hand OR page.due <> now_there.due) AS has_moved
FROM page
JOIN warehouse AS w ON w.id = page.warehouse_id
LEFT JOIN warehouse AS origin ON origin.id = page.from_warehouse_id
LEFT JOIN vendor AS computed ON computed.id = page.computed_vendor_id
LEFT JOIN person ON person.id = page.chosen_by
LEFT JOIN LATERAL (
    SELECT o.id FROM offers_on(CAST(:today AS date)) AS o
    WHERE o.product_id = page.product_id AND o.vendor_id = page.chosen_vendor_id
      AND page.chosen_vendor_id IS NOT NULL
    LIMIT 1 -- row by row, for the few that were edited; else all offers of the shop are looked at
) AS chosen_offer ON true
LEFT JOIN vendor_offer AS offer ON offer.id = coalesce(
    chosen_offer.id, CASE WHEN page.chosen_vendor_id IS NULL THEN page.offer_id END)
LEFT JOIN LATERAL (
    SELECT s.unit_price FROM price_step AS s
    WHERE s.offer_id = offer.id AND s.minimum_quantity <= page.quantity AND page.is_edited
    ORDER BY s.minimum_quantity DESC LIMIT 1
) AS step ON true
LEFT JOIN LATERAL (
    SELECT coalesce(sum(level.quantity), 0) AS on_hand,
           (SELECT coalesce(sum(e.quantity), 0) FROM expected_receipt AS e
            WHERE e.product_id = page.product_id AND e.closed_at IS NULL
              AND (e.warehouse_id = page.warehouse_id OR e.warehouse_id IN (
                  SELECT id FROM warehouse WHERE supplied_by_id = page.warehouse_id AND is_active))) AS due
    FROM stock_level AS level
    WHERE level.product_id = page.product_id
      AND (level.warehouse_id = page.warehouse_id OR level.warehouse_id IN (
          SELECT id FROM warehouse WHERE supplied_by_id = page.warehouse_id AND is_active))
) AS now_there ON true
ORDER BY page.place
