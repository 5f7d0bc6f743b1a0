--[[ room_create: make a group room with its first members and invitations, once: a repetition makes nothing, though all may have left since. Until then
     its id means nothing to anyone.
     KEYS  room, log, meta, foreign, own, asked, members, made, invited
     ARGV  new_epoch, log_length, assistant, name, may_invite (1 where members may add others, 0 where only the owner may), owner, others (ids of users, with spaces between), strangers (the same, to invite), remembered, lasts (an invitation; both seconds)
     gives 1 if it was made now, 0 if before ]]
local room, log, meta, foreign, own, asked, members, made, invited = unpack(KEYS)
local new_epoch, log_length, assistant, name, may_invite, owner, others, strangers, remembered, lasts = unpack(ARGV)
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
