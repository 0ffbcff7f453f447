"""Work in child processes that can be stopped: a time limit and a memory limit that hold whatever a C library does.

``wire`` carries messages, ``nursery`` forks the children, ``pool`` lends them out. What the children do is handed in.
"""
