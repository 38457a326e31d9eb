"""What was done and what it costs: the ledger (amounts), figures with sources, cost laws, technologies and the bill.

Knows no component class, no network and no device. An amount becomes a joule in one place only: `bill.price`.
"""
