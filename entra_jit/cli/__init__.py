"""The command line: what can be typed (``commands``), and how it looks in a terminal (``views``)."""
