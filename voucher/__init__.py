"""The nouns and the books: money, days, parties, vouchers, acts and their seal, the double-entry ledger."""
