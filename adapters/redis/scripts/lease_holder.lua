-- Who holds a lease now. KEYS[1] the lease. Returns {owner, fencing number, since when in ms (0: not known)}, or {} when
-- it ran out or was given back.
local t = redis.call('TIME')
local now_ms = t[1] * 1000 + math.floor(t[2] / 1000)
local told = redis.call('GET', KEYS[1])
if not told then return {} end
local lease = cjson.decode(told)
if lease.until_ms <= now_ms then return {} end
return {lease.owner, lease.fencing, lease.since_ms or 0}
