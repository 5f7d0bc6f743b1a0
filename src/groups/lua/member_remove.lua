--[[ member_remove: let a user leave a group room; or remove a member; or withdraw an invitation, which the inviter may do, too. When the
     last owner leaves, the member who joined first becomes the owner. When the last member leaves, the room's invitations end and its data
     expires after a day.
     KEYS  room, log, meta, foreign, own, consumed, members, invited, ...others (all keys of the room)
     ARGV  new_epoch, log_length, watched: boolean, by, roles: readonly string[] (that may remove others), user (the same as by to leave), bots: readonly string[] (users who never become owners)
     RETURNS  [left: 0 | 1, ...ended: string[] ]; left is 1 if the user left now; the user and the inviter of each invitation that ended
     FAILS  NOT_A_MEMBER if `by` is not a member, FORBIDDEN ]]
local room, log, meta, foreign, own, consumed, members, invited = unpack(KEYS)
local new_epoch, log_length, watched, by, roles, user, bots = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: rights

local DAY = 86400
local is_owner = function(entry) return string.match(entry, '^OWNER ') ~= nil end

local role = redis.call('HGET', members, by)
if not role then return redis.error_reply('NOT_A_MEMBER ' .. string.sub(room, #'room:' + 1)) end
local inviter_of = function(entry) return string.match(entry or '', '^%d+') end
if user ~= by then
  local inviter = inviter_of(redis.call('HGET', invited, user))
  if inviter and (inviter == by or has_right(role_of(by))) then
    redis.call('HDEL', invited, user)
    return { 0, user, inviter }
  end
  if not has_right(role_of(by)) then return redis.error_reply('FORBIDDEN Only the owner of the room may do that.') end
  role = redis.call('HGET', members, user)
  if not role then return { 0 } end
  if is_owner(role) then return redis.error_reply('FORBIDDEN An owner of the room cannot be removed.') end
end

redis.call('HDEL', members, user)
redis.call('HDEL', meta, 'joined:' .. user)
local about = string.format('"userId":"%s","by":"%s"', user, by)

if is_owner(role) then
  local owned, heir, earliest = false, nil, math.huge
  local left = redis.call('HGETALL', members)
  for index = 1, #left, 2 do
    local joined = tonumber(string.match(left[index + 1], '%d+$'))
    owned = owned or is_owner(left[index + 1])
    local is_bot = string.find(' ' .. bots .. ' ', ' ' .. left[index] .. ' ', 1, true)
    if joined < earliest and not is_bot then heir, earliest = left[index], joined end
  end
  if heir and not owned then
    redis.call('HSET', members, heir, string.format('OWNER %.0f', earliest))
    about = about .. string.format(',"newOwner":"%s"', heir)
  end
end
append('member.left', next_time(), about)

local answer = { 1 }
if redis.call('HLEN', members) == 0 then
  local entries = redis.call('HGETALL', invited)
  for index = 1, #entries, 2 do
    answer[#answer + 1] = entries[index]
    answer[#answer + 1] = inviter_of(entries[index + 1])
  end
  redis.call('DEL', invited)
  for index = 9, #KEYS do redis.call('EXPIRE', KEYS[index], DAY) end
end
return answer
