-- Adds a user to the room as OWNER or MEMBER (`role`), and publishes the event with the user who did it (`by`). Stores the room's position
-- just before, from which the user subscribes. Uses members, meta, and the variables of room_log.
local function enter(user, role, by)
  local before = epoch and string.format('%s.%d.%.0f', epoch, seq, last) or '.0.0'
  local at = next_time()
  redis.call('HSET', members, user, string.format('%s %.0f', role, at))
  append('member.joined', at, string.format('"userId":"%s","by":"%s"', user, by))
  redis.call('HSET', meta, 'joined:' .. user, before)
end
