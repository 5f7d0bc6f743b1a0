--[[ member_add: add a user to a group room, or invite them. All members may if the room's mayInvite is set.
     KEYS  room, log, meta, foreign, own, consumed, members, invited
     ARGV  new_epoch, log_length, watched: boolean, by, roles: readonly string[] (that may always add users), user, most: number (members of a room; for an invitation, open invitations included),
           invites: boolean (whether to invite, not add), lasts: number (seconds that an invitation is open)
     RETURNS  [joined: 0 | 1, inviter: string]; joined is 1 if the user joined now; the inviter if the user's invitation is open now or
              ended because the user joined, else ''
     FAILS  NOT_A_MEMBER if `by` is not a member, FORBIDDEN if `by` may not add users or the room is full ]]
local room, log, meta, foreign, own, consumed, members, invited = unpack(KEYS)
local new_epoch, log_length, watched, by, roles, user, most, invites, lasts = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: rights
-- part: member_enter
-- part: invitation

local role = redis.call('EXISTS', members) == 1 and role_of(by)
if not role then return redis.error_reply('NOT_A_MEMBER ' .. string.sub(room, #'room:' + 1)) end
if not has_right(role) and redis.call('HGET', meta, 'mayInvite') ~= '1' then
  return redis.error_reply('FORBIDDEN Only the owner of this room may add others to it.')
end
if redis.call('HEXISTS', members, user) == 1 then return { 0, '' } end

local inviter = open_invitation(user)
if inviter and invites == '1' then return { 0, inviter } end
local size = redis.call('HLEN', members)
if invites == '1' and size + redis.call('HLEN', invited) >= tonumber(most) then
  drop_expired()
  size = size + redis.call('HLEN', invited)
end
if size >= tonumber(most) then return redis.error_reply('FORBIDDEN A room has at most ' .. most .. ' members, open invitations included.') end

if invites == '1' then
  invite(user, by)
  return { 0, by }
end
redis.call('HDEL', invited, user)
enter(user, 'MEMBER', by)
return { 1, inviter or '' }
