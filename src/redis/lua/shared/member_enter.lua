-- Takes a user into the room, of which a `role` makes an owner or a member, and tells the followers who did it. Where the room
-- stood before is remembered: from there the user follows it. Uses members, meta, and what room_log gives.
local function enter(user, role, by)
  local before = epoch and string.format('%s.%d.%.0f', epoch, seq, last) or '.0.0'
  local at = next_time()
  redis.call('HSET', members, user, string.format('%s %.0f', role, at))
  append('member.joined', at, string.format('"userId":"%s","by":"%s"', user, by))
  redis.call('HSET', meta, 'joined:' .. user, before)
end
