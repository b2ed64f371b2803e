-- Writes what changed of one symbol and its blocks for the warehouse, all or nothing.
-- KEYS: stream, its journal (hash), what this source did last (list), then one key for each operation that has one.
-- ARGV: most entries, most bytes, the writer (and random part of a new epoch), this update's token ('' for none), tokens kept, their life in ms, pause
-- between alerts in ms, the writer's fencing field ('' for none) and number, number of blocks, the blocks, then operations:
-- G field time n | Y source contracts life while n | S ttl text | L ttl kept field n text… | Z ttl kept n (score text)… | H ttl n (field value)… | P channel text.
-- G leaves the next n operations out where this writer wrote a later time under that field: an older value takes no newer one's place. Times are
-- microseconds. What another writer left is replaced whatever its time: it was followed, or the world that is played began anew.
-- Y leaves the next n out where the chain that stands under the next key is another source's, has more contracts, and is younger than `while` ms.
-- L puts late prints in the order of their own times; prints of another writer that lie in its future are of another world and go.
-- The first write is one that a server without memory refuses, so what it refuses is whole.
-- Who has an older fencing number than the newest that was seen of its component is refused before all else.
-- Returns {'fenced', the newer number}, {'written', epoch, first sequence, '1' when a chain was left out}, {'repeated', epoch, first}, {'full', length, '1' when an alert is due, bytes}.
-- A live key that another writer left as another type is replaced: an error behind XADD would be tried again, and write the blocks again.
local function fit(key, kind)
  local found = redis.call('TYPE', key)['ok']
  if found ~= 'none' and found ~= kind then redis.call('DEL', key) end
end
local marks = {}  -- fields of the journal that this update sets: whose word stands there, and of when
local function own_time(field)
  local told = redis.call('HGET', KEYS[2], field)
  local ends = #ARGV[3] + 1
  return told and string.sub(told, 1, ends) == ARGV[3] .. ' ' and tonumber(string.sub(told, ends + 1)) or nil
end
local function time_of(text) return string.match(text, '"ts":"([^"]*)"') or '' end
local function is_fuller(key, source, contracts, life, while_ms)
  local age = life - redis.call('PTTL', key)
  local is_read, head = pcall(cjson.decode, redis.call('TYPE', key)['ok'] == 'string' and redis.call('GET', key) or '')
  if age > while_ms or not is_read or type(head) ~= 'table' or type(head.counts) ~= 'table' then return false end
  return head.source ~= source and (tonumber(head.counts.contracts) or 0) > contracts
end
local function taken_from(key, oldest)
  local taken, head = {}, redis.call('LINDEX', key, 0)
  while head and time_of(head) > oldest do
    table.insert(taken, 1, redis.call('LPOP', key))
    head = redis.call('LINDEX', key, 0)
  end
  return taken
end
local function push(key, field, first, last)
  local head, is_own = redis.call('LINDEX', key, 0), own_time(field)
  if not is_own then
    marks[#marks + 1], marks[#marks + 2] = field, ARGV[3] .. ' 0'
  end
  local oldest = head and time_of(ARGV[first])
  if not head or time_of(head) <= oldest then
    redis.call('LPUSH', key, unpack(ARGV, first, last))
    return
  end
  local late, texts, merged, place = taken_from(key, oldest), {unpack(ARGV, first, last)}, {}, 1
  if not is_own then late = {} end
  for _, text in ipairs(texts) do
    while late[place] and time_of(late[place]) <= time_of(text) do
      merged[#merged + 1], place = late[place], place + 1
    end
    merged[#merged + 1] = text
  end
  for rest = place, #late do merged[#merged + 1] = late[rest] end
  redis.call('LPUSH', key, unpack(merged))
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
local at, key, left_out, no_chain = 11 + blocks, 4, 0, '0'
while at <= #ARGV do
  local kind = ARGV[at]
  local is_told = left_out == 0
  if not is_told then left_out = left_out - 1 end
  if kind == 'G' then
    local newest = is_told and own_time(ARGV[at + 1])
    if newest and newest > tonumber(ARGV[at + 2]) then
      left_out = tonumber(ARGV[at + 3])
    elseif is_told then
      marks[#marks + 1], marks[#marks + 2] = ARGV[at + 1], ARGV[3] .. ' ' .. ARGV[at + 2]
    end
    at = at + 4
  elseif kind == 'Y' then
    if is_fuller(KEYS[key], ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])) then
      left_out, no_chain = tonumber(ARGV[at + 5]), '1'
    end
    at = at + 6
  elseif kind == 'P' then
    if is_told then redis.call('PUBLISH', ARGV[at + 1], ARGV[at + 2]) end
    at = at + 3
  elseif kind == 'S' then
    if is_told then redis.call('SET', KEYS[key], ARGV[at + 2], 'PX', ARGV[at + 1]) end
    at, key = at + 3, key + 1
  elseif kind == 'L' then
    local n = tonumber(ARGV[at + 4])
    fit(KEYS[key], 'list')
    push(KEYS[key], ARGV[at + 3], at + 5, at + 4 + n)
    redis.call('LTRIM', KEYS[key], 0, ARGV[at + 2] - 1)
    redis.call('PEXPIRE', KEYS[key], ARGV[at + 1])
    at, key = at + 5 + n, key + 1
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
    if is_told then
      fit(KEYS[key], 'hash')
      redis.call('HSET', KEYS[key], unpack(ARGV, at + 3, at + 2 + 2 * n))
      redis.call('PEXPIRE', KEYS[key], ARGV[at + 1])
    end
    at, key = at + 3 + 2 * n, key + 1
  end
end
if #marks > 0 then redis.call('HSET', KEYS[2], unpack(marks)) end
if token ~= '' then
  fit(KEYS[3], 'list')
  redis.call('LPUSH', KEYS[3], token)
  redis.call('LTRIM', KEYS[3], 0, ARGV[5] - 1)
  redis.call('PEXPIRE', KEYS[3], ARGV[6])
end
return {'written', epoch, first, no_chain}
