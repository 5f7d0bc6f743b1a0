--[[ message_delete: delete a message with all data about it. The caller has checked that the user may access the room.
     KEYS  room, log, meta, foreign, own, consumed, members, reactions, mentioned, deleted
     ARGV  new_epoch, log_length, watched: boolean, user, roles: readonly string[] (that may delete messages of others), id, score (of the message)
     RETURNS  0 | 1; 1 if it was deleted now, 0 if the user deleted it before, or someone else deleted this message of the user before
     FAILS  NOT_A_MEMBER, NOT_FOUND, FORBIDDEN ]]
local room, log, meta, foreign, own, consumed, members, reactions, mentioned, deleted = unpack(KEYS)
local new_epoch, log_length, watched, user, roles, id, score = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: message_find
-- part: message_member
-- part: message_index
-- part: rights

local found = find(id, score)
if not found then
  -- A repeated call, because the answer to the first may have been lost.
  if redis.call('ZSCORE', deleted, user .. ' ' .. id) then return 0 end
  return redis.error_reply('NOT_FOUND There is no message ' .. id .. '.')
end
if found.from ~= user and not has_right(role_of(user)) then
  return redis.error_reply('FORBIDDEN Only the author of a message, or the owner of its group, can delete it.')
end

-- If the log does not have this message, the count is off by one. Then the log restarts, so that no client misses anything silently.
known = math.max(0, known - 1)
append('message.deleted', next_time(), string.format('"messageId":"%s","by":"%s"', id, user))
remove_message(found.member, found.score)

local REMEMBERED = 172800 -- seconds
redis.call('ZREMRANGEBYSCORE', deleted, '-inf', clock[1] - REMEMBERED)
redis.call('ZADD', deleted, clock[1], user .. ' ' .. id, clock[1], found.from .. ' ' .. id)
redis.call('EXPIRE', deleted, REMEMBERED)
return 1
