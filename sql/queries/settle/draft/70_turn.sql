-- grain:  temporary table turn, one row per claim that has its turn: what it gets, in order
-- params: none (reads state, room)
-- source: DESIGN 6.6; recovery frees room, then backfill, then new claims, each in acceptance order:
--         least(cum, room) - least(cum - wanted, room); what a frozen voucher would backfill is only held
CREATE TEMPORARY TABLE turn ON COMMIT DROP AS
WITH asking AS (
    SELECT
        s.company_id, s.invoice_id, s.cap_year, s.accepted_no, s.policy_ids, s.phase, s.basis_fen, s.computed_fen,
        s.worth_fen, s.other_fen, s.wanted_fen, r.frozen, r.closed, r.room_fen,
        CASE WHEN s.phase = 0 THEN s.granted_fen - s.worth_fen ELSE 0 END AS recovered_fen
    FROM state AS s
    INNER JOIN room AS r ON r.company_id = s.company_id AND r.cap_year = s.cap_year
    WHERE
        s.taken
        AND (s.phase = 0 OR (s.phase = 1 AND s.wanted_fen > 0) OR (s.phase = 2 AND NOT s.undecided AND NOT r.frozen))
),

queued AS (
    SELECT
        q.*,
        sum(q.wanted_fen) OVER w AS cum_fen,
        q.room_fen + sum(CASE WHEN q.closed THEN 0 ELSE q.recovered_fen END) OVER w AS freed_room_fen
    FROM asking AS q
    WINDOW w AS (PARTITION BY q.company_id, q.cap_year ORDER BY q.phase, q.accepted_no)
)

SELECT
    q.company_id, q.invoice_id, q.cap_year, q.accepted_no, q.policy_ids, q.phase, q.basis_fen, q.computed_fen,
    q.worth_fen, q.other_fen, q.wanted_fen, q.frozen,
    CAST(CASE
        WHEN q.phase = 0 THEN -q.recovered_fen
        ELSE least(q.cum_fen, q.freed_room_fen) - least(q.cum_fen - q.wanted_fen, q.freed_room_fen)
    END AS bigint) AS granted_fen
FROM queued AS q
