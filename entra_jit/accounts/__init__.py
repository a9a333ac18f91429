"""One account of a customer: reached, told from others, closed, settled, and alarmed about. Works without Temporal."""
