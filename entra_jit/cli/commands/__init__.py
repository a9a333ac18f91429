"""The command line, one subject a file. Each command is a thin shell over one operation."""
