--[[ message_pin: pin a message in its room, or unpin it. Pins of messages that are gone make room for new ones.
     KEYS  room, log, meta, foreign, own, consumed, members, pins
     ARGV  new_epoch, log_length, watched: boolean, user, roles: readonly string[] (that may do it), id, score (of the message), on: boolean
           (whether to pin), most: number (pins of a room), gone: readonly string[] (ids of pinned messages that no longer exist)
     RETURNS  [changed: 0 | 1, full: 0 | 1]; full is 1 if the room has too many pins: then nothing has changed
     FAILS  NOT_A_MEMBER, NOT_FOUND, FORBIDDEN ]]
local room, log, meta, foreign, own, consumed, members, pins = unpack(KEYS)
local new_epoch, log_length, watched, user, roles, id, score, on, most, gone = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: message_find
-- part: message_member
-- part: pair_block
-- part: rights

if not has_right(role_of(user)) then return redis.error_reply('FORBIDDEN Messages cannot be pinned by you in this room.') end
local refusal = block_refusal(user)
if refusal then return redis.error_reply(refusal) end
for former in string.gmatch(gone, '%S+') do redis.call('HDEL', pins, former) end

local is_pinned = redis.call('HEXISTS', pins, id) == 1
if on == '1' then
  if not find(id, score) then return redis.error_reply('NOT_FOUND There is no message ' .. id .. '.') end
  if is_pinned then return { 0, 0 } end
  if redis.call('HLEN', pins) >= tonumber(most) then return { 0, 1 } end
elseif not is_pinned then
  return { 0, 0 }
end

local at = next_time()
if on == '1' then redis.call('HSET', pins, id, string.format('%s %.0f', user, at)) else redis.call('HDEL', pins, id) end
append(on == '1' and 'message.pinned' or 'message.unpinned', at, string.format('"messageId":"%s","by":"%s"', id, user))
return { 1, 0 }
