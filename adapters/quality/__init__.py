"""Data quality by great-expectations. The only code that imports it, and only at the moment of an
examination.
"""
