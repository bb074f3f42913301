"""The audit's claims: what is measured on which files, and the command that measures them all."""
