--[[ message_delete: take a message out of its room, with what hangs on it. The caller has made sure that the user may be in the room.
     KEYS  room, log, meta, foreign, own, asked, members, reactions, mentioned
     ARGV  new_epoch, log_length, assistant, user, id, score (at which it is)
     gives 1
     fails NOT_A_MEMBER, NOT_FOUND, FORBIDDEN ]]
local room, log, meta, foreign, own, asked, members, reactions, mentioned = unpack(KEYS)
local new_epoch, log_length, assistant, user, id, score = unpack(ARGV)
local heard, order = '', ''
-- part: room_log
-- part: message_find
-- part: message_change
-- part: message_index
if found.from ~= user and not (role and string.match(role, '^OWNER ')) then
  return redis.error_reply('FORBIDDEN Only who wrote a message, or the owner of its group, can delete it.')
end

-- Should it be one that the log does not know of, the count is out by one: then the log begins anew, and nothing is missed silently.
known = math.max(0, known - 1)
append('message.deleted', next_time(), string.format('"messageId":"%s","by":"%s"', id, user))
remove_message(found.member, found.score)
return 1
