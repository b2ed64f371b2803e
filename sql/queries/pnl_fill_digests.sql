-- Per session a hash over all fills as they stand, independent of their order, and their count.
select
    session,
    concat(hex(groupBitXor(sipHash64(told))), hex(sum(cityHash64(told)))) as digest,
    count() as fills
from
(
    select session, toString(tuple(fill_id, content_hash, busted, toString(fees), fifo_ts, fifo_key)) as told
    from core.fills
    where venue = {venue:String} and account = {account:String}
)
group by session
order by session
