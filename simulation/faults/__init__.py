"""Faults on demand: a readable script, the catalogue of all faults, a control port, random schedules.

A fault acts on the truth (the broker's calls and conduct) or on the telling (the gateway's wire switches).
Keep out: how a fault is done; that is the broker's and the gateway's own.
"""
