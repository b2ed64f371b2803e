-- Takes or keeps a lease. KEYS[1] the lease; ARGV: owner, ttl_ms. Value: owner, since when, fencing number and deadline, in JSON.
-- The value stays after its deadline so that the fencing number grows; after a flush it goes on from the clock.
-- Returns {1, fencing} when held, {0, 0} while another holds it.
local t = redis.call('TIME')
local now_ms = t[1] * 1000 + math.floor(t[2] / 1000)
local told = redis.call('GET', KEYS[1])
local fencing, since_ms = 0, now_ms
local is_ours = false
if told then
  local lease = cjson.decode(told)
  fencing = lease.fencing
  if lease.until_ms > now_ms then
    if lease.owner ~= ARGV[1] then return {0, 0} end
    is_ours, since_ms = true, lease.since_ms or now_ms
  end
end
if not is_ours then fencing = math.max(fencing + 1, now_ms) end
local kept = {v = 1, owner = ARGV[1], fencing = fencing, since_ms = since_ms, until_ms = now_ms + ARGV[2]}
redis.call('SET', KEYS[1], cjson.encode(kept))
return {1, fencing}
