--[[ invitation_accept: accept an invitation to a group, which makes the user a member.
     KEYS  room, log, meta, foreign, own, consumed, members, invited
     ARGV  new_epoch, log_length, watched: boolean, user, most: number (members of a room), lasts: number (seconds)
     RETURNS  [joined: 0 | 1, inviter: string]; joined is 0 if the user was a member already, the inviter is '' if no invitation ended
     FAILS  NOT_FOUND if no invitation is open, FORBIDDEN if the room is full ]]
local room, log, meta, foreign, own, consumed, members, invited = unpack(KEYS)
local new_epoch, log_length, watched, user, most, lasts = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: member_enter
-- part: invitation

if redis.call('HEXISTS', members, user) == 1 then return { 0, '' } end
local by = open_invitation(user)
if not by then return redis.error_reply('NOT_FOUND There is no open invitation to room ' .. string.sub(room, #'room:' + 1) .. '.') end
if redis.call('HLEN', members) >= tonumber(most) then return redis.error_reply('FORBIDDEN A room has at most ' .. most .. ' members.') end

redis.call('HDEL', invited, user)
enter(user, 'MEMBER', by)
return { 1, by }
