-- Cells of the days in parameter `days`, from visits. Parameters: days, zone, window (days).
INSERT INTO insights_trafficcell (
    day, is_machine, channel, source, campaign,
    visits, page_views, engaged_ms, new_visitors, became_leads
)
SELECT
    visit.day, visit.is_machine, visit.channel, visit.source, visit.campaign,
    count(*), sum(visit.page_views), sum(visit.engaged_ms),
    count(*) FILTER (WHERE visit.is_first),
    count(*) FILTER (WHERE visit.is_first AND EXISTS (
        SELECT FROM tracking_visitor AS visitor
        JOIN tracking_visitorlink AS link ON link.visitor_id = visitor.id
        WHERE visitor.anonymous_id = visit.anonymous_id AND NOT visit.is_machine
          AND link.started_at < visit.started_at + make_interval(days => %(window)s)
    ))
FROM ({visits}) AS visit
GROUP BY 1, 2, 3, 4, 5
