"""Orders in the panel: the list, the page of one, and every way to change them."""
