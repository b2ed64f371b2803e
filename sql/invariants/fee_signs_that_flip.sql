-- Cost is positive and a rebate negative, whichever sign the source uses: a fee that a second source tells with the opposite
-- sign and the same size was read with the wrong one.
select f.venue as venue, f.account as account, f.commission_key as commission_key, groupUniqArray(f.amount) as amounts
from core.commission_facts as f
where f.amount != 0
group by f.venue, f.account, f.commission_key
having uniqExact(abs(f.amount)) = 1 and uniqExact(sign(f.amount)) = 2
limit 100
