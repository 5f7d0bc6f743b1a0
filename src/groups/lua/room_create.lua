--[[ room_create: create a group room with its first members and invitations, once: a repeated call changes nothing, even if all members
     have left since. Until the first call the room's id refers to nothing.
     KEYS  room, log, meta, foreign, own, consumed, members, made, invited
     ARGV  new_epoch, log_length, watched: boolean, name, may_invite: boolean (whether members may add others, or only the owner), owner,
           others: readonly string[] (ids of users to add), strangers: readonly string[] (ids of users to invite), remembered: number
           (seconds for which calls are idempotent), lasts: number (seconds that an invitation is open)
     RETURNS  0 | 1; 1 if the room was created now, 0 if before ]]
local room, log, meta, foreign, own, consumed, members, made, invited = unpack(KEYS)
local new_epoch, log_length, watched, name, may_invite, owner, others, strangers, remembered, lasts = unpack(ARGV)
if redis.call('EXISTS', made) == 1 then return 0 end
local heard, order = '', ''
-- part: room_log
-- part: member_enter
-- part: invitation

redis.call('HSET', meta, 'name', name, 'mayInvite', may_invite)
enter(owner, 'OWNER', owner)
for user in string.gmatch(others, '%d+') do enter(user, 'MEMBER', owner) end
for user in string.gmatch(strangers, '%d+') do invite(user, owner) end
redis.call('SET', made, 'made', 'EX', remembered)
return 1
