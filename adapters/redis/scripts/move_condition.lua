-- One step in the life of one condition: what goes on until it is found to hold no more. KEYS: the hash of conditions.
-- ARGV: step, code, pause between two tellings of a code in ms, most conditions, a JSON object: what is said.
-- Steps: raise {id, text, component, market_at, age_ms} | end {id, text, component, age_ms} | told {raised, text, over} | look {} |
-- restore {id, text, component, market_at, since_ms} | fence {}. A resident says its number (`fencing`) with each, and leaves it beside
-- the codes: who has a lower one of the component raises and ends nothing any more. One key only, so that it runs in a cluster: the words that it returns go to the streams
-- by the caller, who then says that they are told. Who is killed between leaves words that the next step, or a look, returns again.
-- A code is told at once, and again only after the pause: what comes and goes meanwhile is one episode, with how often it came.
-- Returns {'fenced'} to who was followed, {'crowded'} where there is no room, else {'ok', id of the episode, words as JSON}.
local step, code, pause, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local said = cjson.decode(ARGV[5])
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local kind = redis.call('TYPE', KEYS[1])['ok']
if kind ~= 'none' and kind ~= 'hash' then redis.call('DEL', KEYS[1]) end
local number = said.fencing or 0
if number > 0 and (step == 'raise' or step == 'end' or step == 'fence') then
  local field = 'fencing:' .. said.component
  local seen = tonumber(redis.call('HGET', KEYS[1], field) or '0')
  if seen > number then return {'fenced'} end
  if seen < number then redis.call('HSET', KEYS[1], field, string.format('%.0f', number)) end
  if step == 'fence' then return {'ok', '', '[]'} end
end
local stored = redis.call('HGET', KEYS[1], code)
local known, c = false, nil
if stored then known, c = pcall(cjson.decode, stored) end
if not known or type(c) ~= 'table' or type(c.ends) ~= 'table' or type(c.holders) ~= 'table' or type(c.raised_ms) ~= 'number' then
  known, c = false, {is_open = false, is_told = false, times = 0, raised_ms = 0, ends = {}, holders = {}}
end
if not known and (step == 'raise' or step == 'restore') and redis.call('HLEN', KEYS[1]) >= most then return {'crowded'} end
local at = now - (said.age_ms or 0)

local function over(id, by, at_ms)
  if #c.ends < 10 then table.insert(c.ends, {id = id, by = by, over_ms = at_ms}) end
end

if step == 'raise' then
  if not c.is_open then
    c.is_open, c.times = true, c.times + 1
    c.holders = {}
    if not c.id then c.id, c.since_ms, c.component, c.market_at = said.id, at, said.component, said.market_at end
  end
  c.text = said.text
  c.holders[said.component] = true
elseif step == 'end' then
  if not known and said.id ~= '' then over(said.id, said.text, at) end  -- told before all was lost
  if c.is_open then
    c.holders[said.component] = nil
    if said.is_all or next(c.holders) == nil then
      c.is_open, c.by, c.over_ms = false, said.text, at
      if c.is_told then
        over(c.id, said.text, at)
        c.id, c.is_told, c.times = nil, false, 0
      end
    end
  end
elseif step == 'restore' then
  if not c.id and not c.is_open then
    c.is_open, c.is_told, c.times = true, true, 0
    c.id, c.text, c.told_text, c.since_ms, c.market_at = said.id, said.text, said.text, said.since_ms, said.market_at
    c.component = said.component
    c.holders[said.component] = true
  elseif c.id ~= said.id then
    over(said.id, said.by, now)
  end
elseif step == 'told' then
  if said.raised == c.id then
    c.is_told, c.told_text, c.raised_ms, c.times = true, said.text, now, 0
    if not c.is_open then
      over(c.id, c.by, c.over_ms)
      c.id, c.is_told = nil, false
    end
  end
  local left = {}
  for _, each in ipairs(c.ends) do
    local is_told = false
    for _, id in ipairs(said.over) do is_told = is_told or id == each.id end
    if not is_told then table.insert(left, each) end
  end
  c.ends = left
end

local words = {}
for _, each in ipairs(c.ends) do
  table.insert(words, {word = 'resolved', id = each.id, text = each.by, at_ms = each.over_ms, component = said.component or ''})
end
if c.id and now - c.raised_ms >= pause and (not c.is_told or c.text ~= c.told_text) then
  table.insert(words, {
    word = 'raised', id = c.id, text = c.text, at_ms = c.since_ms, component = c.component, market_at = c.market_at, times = c.times,
  })
end
if not c.is_open and not c.id and #c.ends == 0 and now - c.raised_ms >= pause then
  redis.call('HDEL', KEYS[1], code)
else
  redis.call('HSET', KEYS[1], code, cjson.encode(c))
end
return {'ok', c.id or '', cjson.encode(words)}
