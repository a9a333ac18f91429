"""Emergency accounts: a Global Administrator for the day when nothing else signs in, proven before that day."""
