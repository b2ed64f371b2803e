-- Lets nobody with an older number write to a symbol's stream and its live state any more.
-- KEYS[1] the stream's journal; ARGV: the component's field, its fencing number. Returns 1, or 0 where a newer one was seen.
local told = redis.call('HGET', KEYS[1], ARGV[1])
if told and tonumber(told) > tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
