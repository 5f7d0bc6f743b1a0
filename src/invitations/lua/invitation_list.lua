--[[ invitation_list: put a group at the front of a user's list of invitations, before the user is invited, unless the list is full.
     KEYS  invitations
     ARGV  room_id, most: number, lasts: number (seconds)
     RETURNS  0 | 1; 1 if the group is in the list now ]]
local invitations = unpack(KEYS)
local room_id, most, lasts = unpack(ARGV)

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
redis.call('ZREMRANGEBYSCORE', invitations, '-inf', string.format('%.0f', now - lasts * 1000000))
if not redis.call('ZSCORE', invitations, room_id) and redis.call('ZCARD', invitations) >= tonumber(most) then return 0 end
redis.call('ZADD', invitations, string.format('%.0f', now), room_id)
redis.call('EXPIRE', invitations, lasts)
return 1
