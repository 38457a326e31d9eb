"""What `archsim costs` shows: the page, its sentences, tables and charts."""
