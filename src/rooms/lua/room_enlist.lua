--[[ room_enlist: add a room to a list of a user, unless the list is full: a group to the user's rooms, a private room to those that the
     user opened.
     KEYS  rooms (the list)
     ARGV  room_id, group: boolean (whether it is a group room), most: number
     RETURNS  0 | 1; 1 if the room is in the list now ]]
local rooms = unpack(KEYS)
local room_id, group, most = unpack(ARGV)

if redis.call('SISMEMBER', rooms, room_id) == 1 then return 1 end
local count = 0
if group == '1' then
  for _, id in ipairs(redis.call('SMEMBERS', rooms)) do
    if string.match(id, '^9%d+$') and #id == 18 or string.match(id, '^group%-') then count = count + 1 end
  end
else
  count = redis.call('SCARD', rooms)
end
if count >= tonumber(most) then return 0 end
redis.call('SADD', rooms, room_id)
return 1
