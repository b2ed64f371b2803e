-- A sentiment is from -1 to 1, and is none where there is no article.
select
    concat(s.symbol, ' ', toString(s.at), ': ', if(s.score is null, 'none', toString(s.score)), ' of ', toString(s.articles),
        ' articles, ', s.source) as what,
    1 as wrong
from core.sentiment as s
where s.session between {first:Date} and {last:Date}
    and (s.score < -1 or s.score > 1 or not isFinite(s.score) or (s.articles = 0 and s.score is not null))
order by s.at, what
