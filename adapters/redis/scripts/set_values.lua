-- Sets values of one symbol, each with the same life. KEYS: the journal of its stream, then where to.
-- ARGV: the life in ms, the writer's fencing field ('' for none) and number, then one text for each key.
-- Returns 1, or 0 where a newer writer was seen.
local told = ARGV[2] ~= '' and redis.call('HGET', KEYS[1], ARGV[2])
if told and tonumber(told) > tonumber(ARGV[3]) then return 0 end
for place = 2, #KEYS do redis.call('SET', KEYS[place], ARGV[place + 2], 'PX', ARGV[1]) end
return 1
