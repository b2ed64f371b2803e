"""The embedded stack: warehouse, Redis and Dagster as processes of this machine, started, watched and
stopped.

`control.py` is what the command line calls; `supervise.py` is the detached process that owns the children;
one file says how each service is started and asked whether it is ready. State, ports, pids and logs lie
under the home folder.
"""
