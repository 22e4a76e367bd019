"""Every page of the portal, in the order of the menu."""

from portal.page import Page
from portal.pages import (
    admin,
    books,
    companies,
    conflicts,
    dashboard,
    disclosures,
    elsewhere,
    entry,
    home,
    invoices,
    payments,
    proposals,
    recoveries,
    registers,
    runs,
    second,
    tokens,
    uploads,
    vouchers,
)

PAGES: tuple[Page, ...] = (
    *home.PAGES, *dashboard.PAGES, *uploads.PAGES, *invoices.PAGES, *conflicts.PAGES, *registers.PAGES,
    *companies.PAGES, *vouchers.PAGES,
    *runs.PAGES, *proposals.PAGES, *disclosures.PAGES, *payments.PAGES, *recoveries.PAGES, *books.PAGES, *admin.PAGES,
    *tokens.PAGES, *entry.PAGES, *second.PAGES, *elsewhere.PAGES,
)  # fmt: skip
