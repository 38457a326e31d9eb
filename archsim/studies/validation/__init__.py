"""Holding archsim against published designs: cases, what their checks can tell, the verdict."""
