"""Code lists as their owners see them: what waits to be mapped, what was signed, and what changed since.

lines       the lines of the lists that a project's specs use
unmapped    codes of a run that no list knows, as lines to fill in
taking      filled-in lines back into the lists
signing     who signed which list, and whether it is still what was signed
"""
