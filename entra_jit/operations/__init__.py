"""What people ask the system to do, one verb a file. The command line and the portal are thin shells over it."""
