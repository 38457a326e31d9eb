"""Networks: graphs of products and functions over named tensors, and the programs of verbs derived from them."""
