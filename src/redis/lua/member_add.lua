--[[ member_add: take a user into a group room. Its owner may, and its members where the room says so.
     KEYS  room, log, meta, foreign, own, asked, members
     ARGV  new_epoch, log_length, assistant, by, user, most (members of a room)
     gives 1 if they came in now, 0 if they were in before
     fails NOT_A_MEMBER if `by` is none, FORBIDDEN ]]
local room, log, meta, foreign, own, asked, members = unpack(KEYS)
local new_epoch, log_length, assistant, by, user, most = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: member_enter

local role = redis.call('HGET', members, by)
if not role then return redis.error_reply('NOT_A_MEMBER ' .. string.sub(room, #'room:' + 1)) end
if not string.match(role, '^OWNER ') and redis.call('HGET', meta, 'mayInvite') ~= '1' then
  return redis.error_reply('FORBIDDEN Only the owner of this room may add others to it.')
end
if redis.call('HEXISTS', members, user) == 1 then return 0 end
if redis.call('HLEN', members) >= tonumber(most) then return redis.error_reply('FORBIDDEN A room has at most ' .. most .. ' members.') end

enter(user, 'MEMBER', by)
return 1
