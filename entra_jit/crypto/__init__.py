"""What we sign and seal, and how it is checked: keys, assertions of actors, marks on accounts, sealed secrets."""
