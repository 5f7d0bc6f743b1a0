--[[ invitation_look: read what an invited user may know about the group.
     KEYS  meta, members, invited
     ARGV  user, lasts: number (seconds)
     RETURNS  [inviter: string, at: string, name: string, members: number] | []; the time of the invitation (µs), the name of the group and
              the number of its members; [] if no invitation is open ]]
local meta, members, invited = unpack(KEYS)
local user, lasts = unpack(ARGV)
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
-- part: invitation

local by, at = open_invitation(user)
if not by then return {} end
return { by, at, redis.call('HGET', meta, 'name') or '', redis.call('HLEN', members) }
