--[[ room_create: make a group room with its first members. Until then its id means nothing to anyone.
     KEYS  room, log, meta, foreign, own, asked, members
     ARGV  new_epoch, log_length, assistant, name, may_invite (1 where members may add others, 0 where only the owner may), owner, others (ids of users, with spaces between)
     gives 1 ]]
local room, log, meta, foreign, own, asked, members = unpack(KEYS)
local new_epoch, log_length, assistant, name, may_invite, owner, others = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: member_enter

redis.call('HSET', meta, 'name', name, 'mayInvite', may_invite)
enter(owner, 'OWNER', owner)
for user in string.gmatch(others, '%d+') do enter(user, 'MEMBER', owner) end
return 1
