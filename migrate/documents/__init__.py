"""Pages that somebody opens from a file; they need no other file, no network, no script. `page` renders them."""
