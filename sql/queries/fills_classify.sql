-- Says what each batch's rows of one attempt are against what is known: new (a fill never seen), corrected (a cancel, a
-- higher revision, or other figures of a known fill), duplicate (all else). What the attempt told before a row is known
-- too: told_before says whether against it the figures (0, 2, 4) and the revision (0, 3, 4) are still news. A correction
-- may lie a few sessions from its fill, hence the days around each session; only those days are read, whatever the history.
with staged as (
    select
        batch_id, venue, account, session, fill_id, revision, source, content_hash, kind, quantity, price, side, told_before
    from core.fill_staging
    where attempt_id = {attempt_id:String}
),
days as (
    select distinct venue, account, session + arrayJoin(range(15)) - 7 as session
    from (select distinct venue, account, session from staged)
),
known as (
    select
        k.venue as venue,
        k.account as account,
        k.fill_id as fill_id,
        max(k.revision) as highest_revision,
        groupUniqArray((k.quantity, k.price, k.side)) as figures,
        groupUniqArray((k.session, k.revision, k.source, k.content_hash)) as versions,
        groupUniqArray(k.session) as sessions
    from core.fill_revisions as k
    where (k.venue, k.account, k.session) in (select venue, account, session from days)
        and k.fill_id in (select fill_id from staged)
    group by k.venue, k.account, k.fill_id
),
retold as (
    select venue, account, fill_id, groupUniqArray(session) as sessions
    from staged
    where fill_id in (select fill_id from staged where told_before > 0)
    group by venue, account, fill_id
),
judged as (
    select
        s.batch_id as batch_id,
        s.account as account,
        s.content_hash as content_hash,
        arrayPushBack(arrayConcat(k.sessions, r.sessions), s.session) as sessions,
        k.fill_id != '' as is_known,
        has(k.versions, (s.session, s.revision, s.source, s.content_hash)) as is_stored,
        s.told_before in (0, 3, 4) and (not is_known or s.revision > k.highest_revision) as is_higher,
        s.told_before in (0, 2, 4) and not has(k.figures, (s.quantity, s.price, s.side)) as is_other,
        multiIf(
            is_stored, 'duplicate',
            not is_known and s.told_before = 0, if(s.kind = 'cancel', 'corrected', 'new'),
            is_higher or is_other, 'corrected',
            'duplicate'
        ) as outcome
    from staged as s
    left join known as k on k.venue = s.venue and k.account = s.account and k.fill_id = s.fill_id
    left join retold as r on r.venue = s.venue and r.account = s.account and r.fill_id = s.fill_id
)
select
    batch_id,
    countIf(outcome = 'new') as new,
    countIf(outcome = 'duplicate') as duplicates,
    countIf(outcome = 'corrected') as corrected,
    countIf(not is_stored) as missing,
    groupArrayIf(toString(content_hash), not is_stored) as missing_hashes,
    groupUniqArrayArrayIf(arrayMap(day -> (account, day), sessions), not is_stored) as touched
from judged
group by batch_id
