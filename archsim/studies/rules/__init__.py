"""A study over update rules, devices and learning rules: one model of devices, one ledger, one search of rates."""
