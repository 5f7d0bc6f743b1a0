--[[ member_add: take a user into a group room. Its owner may, and its members where the room says so.
     KEYS  room, log, meta, foreign, own, members
     ARGV  new_epoch, log_length, by, user, most (members of a room)
     gives JOINED, IN (they were before), NOT_OWNER, or FULL
     fails NOT_A_MEMBER if `by` is none ]]
local room, log, meta, foreign, own, members = unpack(KEYS)
local new_epoch, log_length, by, user, most = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: member_enter

local role = redis.call('HGET', members, by)
if not role then return redis.error_reply('NOT_A_MEMBER any more, or never') end
if not string.match(role, '^OWNER ') and redis.call('HGET', meta, 'mayInvite') ~= '1' then return 'NOT_OWNER' end
if redis.call('HEXISTS', members, user) == 1 then return 'IN' end
if redis.call('HLEN', members) >= tonumber(most) then return 'FULL' end

enter(user, 'MEMBER', by)
return 'JOINED'
