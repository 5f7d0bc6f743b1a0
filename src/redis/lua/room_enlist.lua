--[[ room_enlist: put a room into a user's list, unless it is as long as it may be.
     KEYS  rooms
     ARGV  room_id, group (1 for a group room, else 0), most_groups, most_rooms
     gives 1 if it is there now, else 0 ]]
local rooms = unpack(KEYS)
local room_id, group, most_groups, most_rooms = unpack(ARGV)

if redis.call('SISMEMBER', rooms, room_id) == 1 then return 1 end
if redis.call('SCARD', rooms) >= tonumber(most_rooms) then return 0 end
if group == '1' then
  local groups = 0
  for _, id in ipairs(redis.call('SMEMBERS', rooms)) do
    if string.match(id, '^9%d+$') and #id == 18 or string.match(id, '^group%-') then groups = groups + 1 end
  end
  if groups >= tonumber(most_groups) then return 0 end
end
redis.call('SADD', rooms, room_id)
return 1
