--[[ stretch: reads a stretch of a room's history with its reactions. A part of each script that does, whose room, reactions, count, size
     it uses, and id_of of message_find. ]]

-- From near to far as {member ('' for one that is too long), score, reactions (JSON, '' for none), …}; at most count of them, and size bytes.
local function stretch(near, far, rev)
  -- What someone else put there must fill nobody's memory.
  local LONGEST = 65536 -- bytes; a longer member is nobody's message
  local PORTION = 1000  -- messages whose reactions are read together
  local read
  if rev then
    read = redis.call('ZRANGE', room, near, far, 'BYSCORE', 'REV', 'LIMIT', 0, count, 'WITHSCORES')
  else
    read = redis.call('ZRANGE', room, near, far, 'BYSCORE', 'LIMIT', 0, count, 'WITHSCORES')
  end
  local page, bytes = {}, 0
  for index = 1, #read, 2 do
    local member = #read[index] > LONGEST and '' or read[index]
    bytes = bytes + #member
    if bytes > tonumber(size) then break end
    table.insert(page, member)
    table.insert(page, read[index + 1])
    table.insert(page, '')
  end
  if redis.call('EXISTS', reactions) == 0 then return page end
  for first = 1, #page, 3 * PORTION do
    local ids = {}
    for index = first, math.min(#page, first + 3 * PORTION - 1), 3 do ids[#ids + 1] = id_of(page[index], page[index + 1]) end
    for n, json in ipairs(redis.call('HMGET', reactions, unpack(ids))) do
      if json then page[first + 3 * n - 1] = json end
    end
  end
  return page
end
