--[[ history_range: reads a range of a room's history with its reactions. A part of each script that does so. Uses the script's room,
     reactions, count and size, read and set_aside of room_log, and id_of of message_find. ]]

--[[ Reads from near to far, after the first `offset` members, at most count members and until there are size bytes. Returns
     {{member ('' if it is too long), score, reactions (JSON, '' for none), …}, where to continue (a score; '' at the end), the offset
     there, number of skipped members}. ]]
local function history_range(near, far, rev, offset)
  local PORTION = 1000 -- messages whose reactions are read together
  local members, more, behind, _, skipped = read(near, far, rev, tonumber(count), tonumber(size), offset)
  local page, long = {}, {}
  for index = 1, #members, 2 do
    local member = members[index]
    -- A known member, which an app moved back by storing it again.
    if #member > LONGEST and redis.call('SISMEMBER', foreign, digest(member)) == 1 then long[#long + 1] = { member, members[index + 1] } end
    table.insert(page, #member > LONGEST and '' or member)
    table.insert(page, members[index + 1])
    table.insert(page, '')
  end
  for _, member in ipairs(long) do set_aside(unpack(member)) end
  if redis.call('EXISTS', reactions) == 1 then
    for first = 1, #page, 3 * PORTION do
      local ids = {}
      for index = first, math.min(#page, first + 3 * PORTION - 1), 3 do ids[#ids + 1] = id_of(page[index], page[index + 1]) end
      for n, json in ipairs(redis.call('HMGET', reactions, unpack(ids))) do
        if json then page[first + 3 * n - 1] = json end
      end
    end
  end
  return { page, more or '', behind or 0, skipped }
end
