"""The command line: ``main`` reads it, ``commands`` does what is asked beside ``predict``."""
