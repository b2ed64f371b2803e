"""Our books against the broker's: match, compare, name the cause, keep the breaks, lock what they touch.
Pure.
"""
