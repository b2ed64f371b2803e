-- How many fills does each source's coverage hold, and which covered intervals hold none? Compare the counts with the
-- venue's own; a covered interval without a fill is a quiet day or a question.
select
    coverage.venue as venue,
    coverage.account as account,
    toString(coverage.source) as source,
    coverage.start_at as covered_from,
    coverage.end_at as covered_to,
    countIf(fills.fill_ts >= coverage.start_at and fills.fill_ts < coverage.end_at) as fills
from core.coverage as coverage
left join core.fills as fills on coverage.venue = fills.venue and coverage.account = fills.account
group by venue, account, source, covered_from, covered_to
order by venue, account, covered_from, source
