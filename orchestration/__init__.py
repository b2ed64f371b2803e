"""Dagster's composition root: definitions, resources, jobs, schedules. The only place that knows assets and
adapters.
"""
