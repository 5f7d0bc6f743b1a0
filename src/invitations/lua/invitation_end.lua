--[[ invitation_end: end a user's invitation to a group.
     KEYS  invited
     ARGV  user, by (the inviter whose invitation should end; '' for any)
     RETURNS  string; the inviter, '' if there was no such invitation ]]
local invited = unpack(KEYS)
local user, by = unpack(ARGV)

local inviter = string.match(redis.call('HGET', invited, user) or '', '^%d+')
if not inviter or (by ~= '' and by ~= inviter) then return '' end
redis.call('HDEL', invited, user)
return inviter
