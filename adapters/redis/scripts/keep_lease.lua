-- Keeps a lease, also one that ran out, unless another had it since. KEYS[1] the lease; ARGV: owner, fencing number, ttl_ms.
-- A server that lost it gives it again, under a number above the one that was and not below the clock.
-- Returns {1, fencing} when held, {0, fencing of the other} when another has or had it.
local t = redis.call('TIME')
local now_ms = t[1] * 1000 + math.floor(t[2] / 1000)
local told = redis.call('GET', KEYS[1])
local fencing, since_ms = tonumber(ARGV[2]), now_ms
if told then
  local lease = cjson.decode(told)
  if lease.owner ~= ARGV[1] or lease.fencing ~= fencing then return {0, lease.fencing} end
  since_ms = lease.since_ms or now_ms
else
  fencing = math.max(fencing + 1, now_ms)
end
local kept = {v = 1, owner = ARGV[1], fencing = fencing, since_ms = since_ms, until_ms = now_ms + ARGV[3]}
redis.call('SET', KEYS[1], cjson.encode(kept))
return {1, fencing}
