-- Writes what changed of one symbol and its blocks for the warehouse, all or nothing.
-- KEYS: stream, its journal (hash), what this source did last (list), then one key for each operation that has one.
-- ARGV: most entries, most bytes, random part of a new epoch, this update's token ('' for none), tokens kept, their life in ms, pause between alerts
-- in ms, the writer's fencing field ('' for none) and number, number of blocks, the blocks, then operations: S ttl text | L ttl kept n text… | Z ttl kept n (score text)… | H ttl n (field value)… | P channel text.
-- The first write is one that a server without memory refuses, so what it refuses is whole.
-- Who has an older fencing number than the newest that was seen of its component is refused before all else.
-- Returns {'fenced', the newer number}, {'written', epoch, first sequence}, {'repeated', epoch, first}, {'full', length, '1' when an alert is due, bytes}.
-- A live key that another writer left as another type is replaced: an error behind XADD would be tried again, and write the blocks again.
local function fit(key, kind)
  local found = redis.call('TYPE', key)['ok']
  if found ~= 'none' and found ~= kind then redis.call('DEL', key) end
end
local blocks = tonumber(ARGV[10])
local token = ARGV[4]
local told = redis.call('HMGET', KEYS[2], 'epoch', 'sequence', ARGV[8])
if ARGV[8] ~= '' and told[3] ~= ARGV[9] then
  if told[3] and tonumber(told[3]) > tonumber(ARGV[9]) then return {'fenced', told[3]} end
  redis.call('HSET', KEYS[2], ARGV[8], ARGV[9])
end
if token ~= '' and redis.call('TYPE', KEYS[3])['ok'] == 'list' and redis.call('LPOS', KEYS[3], token) then return {'repeated', told[1] or '', told[2] or '0'} end
local t = redis.call('TIME')
local now_ms = t[1] * 1000 + math.floor(t[2] / 1000)
local bytes = 0
if blocks > 0 then
  local length = redis.call('XLEN', KEYS[1])
  local waiting = length > 0 and tonumber(redis.call('HGET', KEYS[2], 'bytes') or '0') or 0
  for place = 1, blocks do bytes = bytes + #ARGV[10 + place] end
  if length + blocks > tonumber(ARGV[1]) or (length > 0 and waiting + bytes > tonumber(ARGV[2])) then
    local due = now_ms - tonumber(redis.call('HGET', KEYS[2], 'alerted_ms') or '0') >= tonumber(ARGV[7])
    if due then redis.call('HSET', KEYS[2], 'alerted_ms', string.format('%.0f', now_ms)) end
    return {'full', tostring(length), due and '1' or '0', tostring(waiting)}
  end
  bytes = waiting + bytes
end
local epoch, first = told[1] or '', '0'
if blocks > 0 then
  if not told[1] then
    epoch = string.format('%013.0f-%s', now_ms, ARGV[3])
    redis.call('HSET', KEYS[2], 'epoch', epoch, 'sequence', '0')
  end
  redis.call('HSET', KEYS[2], 'bytes', string.format('%.0f', bytes))
  local last = redis.call('HINCRBY', KEYS[2], 'sequence', blocks)
  first = string.format('%.0f', last - blocks + 1)
  for place = 1, blocks do
    local sequence = string.format('%.0f', last - blocks + place)
    redis.call('XADD', KEYS[1], '*', 'epoch', epoch, 'sequence', sequence, 'block', ARGV[10 + place])
  end
end
local at, key = 11 + blocks, 4
while at <= #ARGV do
  local kind = ARGV[at]
  if kind == 'P' then
    redis.call('PUBLISH', ARGV[at + 1], ARGV[at + 2])
    at = at + 3
  elseif kind == 'S' then
    redis.call('SET', KEYS[key], ARGV[at + 2], 'PX', ARGV[at + 1])
    at, key = at + 3, key + 1
  elseif kind == 'L' then
    local n = tonumber(ARGV[at + 3])
    fit(KEYS[key], 'list')
    redis.call('LPUSH', KEYS[key], unpack(ARGV, at + 4, at + 3 + n))
    redis.call('LTRIM', KEYS[key], 0, ARGV[at + 2] - 1)
    redis.call('PEXPIRE', KEYS[key], ARGV[at + 1])
    at, key = at + 4 + n, key + 1
  elseif kind == 'Z' then
    local n = tonumber(ARGV[at + 3])
    fit(KEYS[key], 'zset')
    for place = 0, n - 1 do
      local score, text = ARGV[at + 4 + 2 * place], ARGV[at + 5 + 2 * place]
      redis.call('ZADD', KEYS[key], score, text)
      for _, other in ipairs(redis.call('ZRANGEBYSCORE', KEYS[key], score, score)) do
        if other ~= text then redis.call('ZREM', KEYS[key], other) end
      end
    end
    redis.call('ZREMRANGEBYRANK', KEYS[key], 0, -1 - ARGV[at + 2])
    redis.call('PEXPIRE', KEYS[key], ARGV[at + 1])
    at, key = at + 4 + 2 * n, key + 1
  else
    local n = tonumber(ARGV[at + 2])
    fit(KEYS[key], 'hash')
    redis.call('HSET', KEYS[key], unpack(ARGV, at + 3, at + 2 + 2 * n))
    redis.call('PEXPIRE', KEYS[key], ARGV[at + 1])
    at, key = at + 3 + 2 * n, key + 1
  end
end
if token ~= '' then
  fit(KEYS[3], 'list')
  redis.call('LPUSH', KEYS[3], token)
  redis.call('LTRIM', KEYS[3], 0, ARGV[5] - 1)
  redis.call('PEXPIRE', KEYS[3], ARGV[6])
end
return {'written', epoch, first}
