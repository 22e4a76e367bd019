"""The list of sealed tables: what each act's body consists of, in this order.

Not on it, because they can be derived or are no facts: balances, the number register, drafts, migrations, and raw
bank account numbers (sealed as last four digits and a salted hash).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sealed:
    """One table. columns: written in this order. key: columns the rows are sorted by. act: how rows find theirs."""

    table: str
    columns: str
    key: str
    source: str = ""
    act: str = "t.act_id"

    @property
    def copy(self) -> str:
        """Write the COPY statement for one act; its only parameter is the act's id (an integer, inlined)."""
        columns = ", ".join(_text(column) for column in self.columns.split())
        order = ", ".join(f"t.{column}" for column in self.key.split())
        return (
            f"COPY (SELECT {columns} FROM {self.source or self.table + ' AS t'} WHERE {self.act} = {{act_id}}"
            f" ORDER BY {order}) TO STDOUT (DELIMITER '|', ENCODING 'UTF8')"
        )

    @property
    def asked(self) -> str:
        """Write the query that gives the table's name if the act (parameter `act_id`) may have rows in it.

        Asking for the first act not before it is one look into an index, however many rows an act has on average
        (a plain `=` is not: where few acts have many rows each, the planner reads them all). Lines are looked for
        where their act is: with their invoice or run.
        """
        table, alias = self.table, "t"
        if self.source:
            table, alias = self.source.split("INNER JOIN ")[1].split(" USING ")[0].split(" AS ")
        first = f"SELECT {self.act} FROM {table} AS {alias} WHERE {self.act} >= %(act_id)s ORDER BY {self.act} LIMIT 1"
        return f"SELECT '{self.table}' WHERE ({first}) = %(act_id)s"

    @property
    def copy_range(self) -> str:
        """Write the COPY statement for all acts of a range of ids (`first` to `last`, integers, inlined).

        Each line is the act's id, a `|` and the line that `copy` gives; lines of an act stand together, in its order.
        """
        columns = ", ".join(_text(column) for column in self.columns.split())
        order = ", ".join(f"t.{column}" for column in self.key.split())
        return (
            f"COPY (SELECT {self.act}, {columns} FROM {self.source or self.table + ' AS t'}"
            f" WHERE {self.act} BETWEEN {{first}} AND {{last}} ORDER BY {self.act}, {order})"
            " TO STDOUT (DELIMITER '|', ENCODING 'UTF8')"
        )


def _text(column: str) -> str:
    """Write one column so that its bytes depend on no setting but DateStyle, which `seal` sets to ISO."""
    name = f"t.{column}"
    if column.endswith("_at"):
        return f"to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    if column.endswith(("sha256", "sm3", "salt")):
        return f"encode({name}, 'hex')"
    return name


SEALED = (
    Sealed(
        "act",
        "act_id kind reference actor effective_on request_sha256",
        "act_id",
    ),
    Sealed(
        "app_user",
        "name role provider_uscc act_id",
        "name",
    ),
    Sealed(
        "programme",
        "programme_id act_id",
        "programme_id",
    ),
    Sealed(
        "policy",
        "policy_id programme_id supersedes span sha256 parameters body act_id",
        "policy_id",
    ),
    Sealed(
        "party",
        "party_id uscc act_id",
        "party_id",
    ),
    Sealed(
        "party_name",
        "party_id row_no name act_id",
        "party_id row_no",
    ),
    Sealed(
        "qualification",
        "row_no company_id category from_on span basis act_id",
        "row_no",
    ),
    Sealed(
        "bank_account",
        "row_no company_id holder bank account_last4 account_salt account_sha256 clearing_no act_id",
        "row_no",
    ),
    Sealed(
        "listing",
        "row_no provider_id from_on span act_id",
        "row_no",
    ),
    Sealed(
        "relation",
        "row_no provider_id company_id kind share_bp from_on span act_id",
        "row_no",
    ),
    Sealed(
        "subsidy",
        "row_no invoice_number policy_name amount_fen waived act_id",
        "row_no",
    ),
    Sealed(
        "invoice_payment",
        "row_no invoice_number paid_on reference amount_fen act_id",
        "row_no",
    ),
    Sealed(
        "verification",
        "row_no invoice_number checked_on result checked_by act_id",
        "row_no",
    ),
    Sealed(
        "document",
        "sha256 sm3 size_bytes act_id",
        "sha256",
    ),
    Sealed(
        "upload",
        "upload_id sha256 file_name format holds provider_uscc service_month received_on header rows accepted "
        "duplicate conflict rejected held notes",
        "upload_id",
        act="t.upload_id",
    ),
    Sealed(
        "upload_row",
        "row_no sheet outcome invoice_number cells upload_id",
        "sheet row_no",
        act="t.upload_id",
    ),
    Sealed(
        "upload_problem",
        "problem_no sheet row_no code severity column_name value message invoice_number upload_id",
        "problem_no",
        act="t.upload_id",
    ),
    Sealed(
        "held_row",
        "row_no sheet digest invoice_number invoice_kind waits_for evidence received_on content upload_id",
        "sheet row_no",
        act="t.upload_id",
    ),
    Sealed(
        "mapping",
        "act_id provider_uscc header_sha256 header profile",
        "act_id",
    ),
    Sealed(
        "invoice",
        "place invoice_id company_id number kind original_number provider_id issued_on received_on span "
        "contract_no net_fen tax_fen gross_fen paid_fen evidence digest act_id",
        "place",
    ),
    Sealed(
        "invoice_line",
        "invoice_id line_no tax_code item spec unit usage_qty net_fen rate_bp tax_fen gross_fen paid_fen "
        "remark sheet row_no upload_id",
        "invoice_id line_no company_id",
        source="invoice_line AS t INNER JOIN invoice AS i USING (company_id, invoice_id)",
        act="i.act_id",
    ),
    Sealed(
        "evidence",
        "company_id invoice_id kind upload_id sha256 net_fen tax_fen gross_fen span contract_no paid_fen has_lines "
        "digest act_id",
        "company_id invoice_id kind",
    ),
    Sealed(
        "evidence_line",
        "company_id invoice_id kind line_no tax_code item spec unit usage_qty net_fen rate_bp tax_fen gross_fen "
        "remark sheet row_no act_id",
        "company_id invoice_id kind line_no",
    ),
    Sealed(
        "metering",
        "company_id invoice_id upload_id basis replaces lines metered_yuan act_id",
        "company_id invoice_id upload_id",
    ),
    Sealed(
        "usage_day",
        "company_id invoice_id upload_id used_on unit quantity metered_yuan lines act_id",
        "company_id invoice_id upload_id used_on unit",
    ),
    Sealed(
        "held_usage",
        "invoice_number used_on unit quantity metered_yuan lines basis replaces upload_id",
        "invoice_number used_on unit",
        act="t.upload_id",
    ),
    Sealed(
        "resolution",
        "act_id company_id invoice_id upload_id evidence_act_id kind net_fen tax_fen gross_fen why",
        "act_id",
    ),
    Sealed(
        "proposal",
        "act_id kind subject payload payload_sha256 maker drafted_by",
        "act_id",
    ),
    Sealed(
        "decision",
        "proposal_act_id verdict why decided_by act_id",
        "proposal_act_id",
    ),
    Sealed(
        "run",
        "run_id programme_id through_on backfill pro_rata cutoff_no fiscal_year drafted_by policies lines_sha256 lines "
        "proposal_act_id act_id",
        "run_id",
    ),
    Sealed(
        "run_line",
        "line_no company_id cap_year kind invoice_id accepted_no basis_fen computed_fen overlap_cut_fen "
        "granted_fen withheld_fen budget_cut_fen policy_ids reasons run_id",
        "line_no",
        source="run_line AS t INNER JOIN run AS r USING (run_id)",
        act="r.act_id",
    ),
    Sealed(
        "account",
        "account_id name programme_id company_id year act_id",
        "account_id",
    ),
    Sealed(
        "voucher",
        "voucher_id programme_id company_id cap_year face_fen by_hand act_id",
        "voucher_id",
    ),
    Sealed(
        "move",
        "noun subject_id step from_state to_state why act_id",
        "noun subject_id step",
    ),
    Sealed(
        "disclosure",
        "run_id from_on until_on working_days act_id",
        "run_id",
    ),
    Sealed(
        "objection",
        "act_id company_id run_id invoice_id why",
        "act_id",
    ),
    Sealed(
        "refusal",
        "act_id company_id invoice_id programme_id cap_year refused why",
        "act_id",
    ),
    Sealed(
        "contract",
        "row_no contract_no provider_id company_id amount_fen from_on span act_id",
        "row_no",
    ),
    Sealed(
        "recovery_notice",
        "company_id invoice_id told_on act_id",
        "company_id invoice_id",
    ),
    Sealed(
        "payment_batch",
        "batch_id run_id payments amount_fen act_id",
        "batch_id",
    ),
    Sealed(
        "payment",
        "payment_no payment_id batch_id payee_id account_act_id account_row_no amount_fen reference act_id",
        "payment_no batch_id",
    ),
    Sealed(
        "payment_line",
        "payment_id run_id line_no company_id amount_fen act_id",
        "payment_id run_id line_no",
    ),
    Sealed(
        "payment_result",
        "payment_id step state happened_on bank_reference reason sha256 row_no act_id",
        "payment_id step",
    ),
    Sealed(
        "merger",
        "absorbed_id survivor_id merged_on act_id",
        "absorbed_id",
    ),
    Sealed(
        "absorbed_use",
        "voucher_id absorbed_id company_id used_fen act_id",
        "voucher_id absorbed_id",
    ),
    Sealed(
        "bank_statement",
        "statement_id sha256 file_name profile rows known",
        "statement_id",
        act="t.statement_id",
    ),
    Sealed(
        "bank_line",
        "row_no booked_on amount_fen name account_last4 serial remark reference line_digest statement_id",
        "row_no",
        act="t.statement_id",
    ),
    Sealed(
        "bank_match",
        "place statement_id row_no payment_id why act_id",
        "place",
    ),
    Sealed(
        "flag_decision",
        "flag subject verdict why evidence_sha256 act_id",
        "flag subject",
    ),
    Sealed(
        "transfer",
        "transfer_no company_id debit_account_id credit_account_id amount_fen run_id line_no act_id",
        "transfer_no",
    ),
)

ASKED = " UNION ALL ".join(sealed.asked for sealed in SEALED)
"""The query that gives the names of the tables in which an act wrote rows."""
