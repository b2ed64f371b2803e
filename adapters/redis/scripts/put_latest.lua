-- Sets a field of a hash unless it holds a later session. KEYS[1] the hash; ARGV: field, session, value (JSON with session).
local told = redis.call('HGET', KEYS[1], ARGV[1])
if told and cjson.decode(told).session > ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
