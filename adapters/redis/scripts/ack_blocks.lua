-- Takes blocks away that are done with. KEYS: the stream, its journal (hash); ARGV: the group, then entry ids. Returns how many were there.
-- The journal counts the bytes that wait; what another hand deleted is forgotten when nothing waits any more.
local bytes, there = 0, 0
for place = 2, #ARGV do
  local found = redis.call('XRANGE', KEYS[1], ARGV[place], ARGV[place])
  if found[1] then
    there = there + 1
    local fields = found[1][2]
    for at = 1, #fields, 2 do if fields[at] == 'block' then bytes = bytes + #fields[at + 1] end end
  end
end
redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, 2))
redis.call('XDEL', KEYS[1], unpack(ARGV, 2))
if redis.call('EXISTS', KEYS[2]) == 1 then
  if redis.call('XLEN', KEYS[1]) == 0 then
    redis.call('HSET', KEYS[2], 'bytes', '0')
  elseif bytes > 0 then
    redis.call('HINCRBY', KEYS[2], 'bytes', -bytes)
  end
end
return there
