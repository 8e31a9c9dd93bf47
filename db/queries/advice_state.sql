-- Did anything change that advice is worked out from?
-- One row: a fingerprint of each kind of fact. Two that are equal mean that nothing changed.
SELECT (SELECT concat_ws(' ', count(*), sum(last_movement_id)) FROM stock_level) AS stock,
       (SELECT concat_ws(' ', count(*), max(id), sum(quantity), max(created_at),
                         sum(expected_on - DATE '2020-01-01'))
        FROM expected_receipt WHERE closed_at IS NULL) AS due,
       (SELECT concat_ws(' ', (SELECT max(id) FROM forecast WHERE is_current),
                         (SELECT count(*) FROM forecast_edit), (SELECT max(edited_at) FROM forecast_edit)))
           AS forecasts,
       (SELECT concat_ws(' ', (SELECT max(id) FROM vendor_offer),
                         (SELECT count(*) FROM vendor_offer WHERE withdrawn_at IS NOT NULL))) AS offers,
       (SELECT concat_ws(' ', max(updated_at), count(*) FILTER (WHERE is_active),
                         (SELECT concat_ws(' ', count(*), max(id), sum(ends_on - starts_on))
                          FROM vendor_shutdown))
        FROM vendor) AS vendors,
       (SELECT concat_ws(' ', (SELECT changed_at FROM buying_settings),
                         (SELECT count(*) FROM service_rule), (SELECT max(set_at) FROM service_rule)))
           AS settings,
       (SELECT concat_ws(' ', max(updated_at), count(*) FILTER (WHERE is_active),
                         (SELECT string_agg(concat_ws(':', id, supplied_by_id, is_active), ',' ORDER BY id)
                          FROM warehouse),
                         (SELECT concat_ws(' ', count(*), sum(reorder_threshold)) FROM warehouse_threshold))
        FROM product) AS products
