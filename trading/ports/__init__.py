"""Abstract bases of what the domain needs from the outside; adapters implement them, services ask for
them.
"""
