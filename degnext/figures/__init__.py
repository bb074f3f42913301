"""Figures of every chapter: each function draws on the axis it is given and returns it."""
