-- Keeps or gives back a lease. KEYS[1] the lease; ARGV: owner, fencing number, ttl_ms (0 gives it back).
-- Only its holder can: a lease that ran out and was taken since has another number. Returns 1 when done, 0 when lost.
local t = redis.call('TIME')
local now_ms = t[1] * 1000 + math.floor(t[2] / 1000)
local told = redis.call('GET', KEYS[1])
if not told then return 0 end
local lease = cjson.decode(told)
if lease.owner ~= ARGV[1] or lease.fencing ~= tonumber(ARGV[2]) or lease.until_ms <= now_ms then return 0 end
lease.until_ms = now_ms + ARGV[3]
redis.call('SET', KEYS[1], cjson.encode(lease))
return 1
