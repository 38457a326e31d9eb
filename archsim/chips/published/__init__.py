"""Published designs that run operations on counts: no network is trained on them."""
