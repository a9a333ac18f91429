"""How things look in a terminal: tables, a receipt, a live timeline, and the demonstration."""
