"""One screen a module: each exports ``router``, and ``LINK`` where it stands in the navigation."""
