-- grain:  temporary tables of one file of usage: its sums by invoice, days and unit, who it says used them, and the
--         lines that are in no sum (a table with rules by row takes no COPY, this one does)
-- params: none
-- quantity and amount are whole parts of 10 to the minus 12; days are counted from 1970-01-01
CREATE TEMPORARY TABLE usage_stage (
    number text COLLATE "C" NOT NULL, first_day integer NOT NULL, last_day integer NOT NULL,
    unit text COLLATE "C" NOT NULL, lines bigint NOT NULL, quantity numeric NOT NULL, amount numeric NOT NULL
) ON COMMIT DROP;

CREATE TEMPORARY TABLE usage_company (
    number text COLLATE "C" NOT NULL, company_uscc text COLLATE "C" NOT NULL
) ON COMMIT DROP;

CREATE TEMPORARY TABLE usage_failed (LIKE upload_row) ON COMMIT DROP
