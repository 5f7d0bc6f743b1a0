--[[ message_send: add a message to a room, once, and publish its event. Moves the sender's read marker to the message.
     The caller has checked that the sender may write here. For a group room this script checks it again, because membership may have ended.
     KEYS  room, log, meta, foreign, own, consumed, members, mentioned, reactions, reads, sent_1, sent_2, sent_3, sent_4   (the days around the
           caller's estimate of today; Redis's clock decides)
     ARGV  new_epoch, log_length, watched: boolean, room_id, from, text (JSON), client_id (JSON, '' for none), first_day: number (of sent_1),
           mentions: readonly string[] (ids of users), reply_to (id of a message, '' for none), reply_score (score of that message),
           history_limit: number, history_days: number (both of shared/retention.lua), group: boolean (whether it is a group room),
           wanted: readonly string[] (names of the consumers that want its event), quiet: readonly string[] (mentioned users for whom
           the mention does not count)
     RETURNS  [day: number] | [message: string, seq: number, epoch: string, at: number, untold: number, stored: 0 | 1, first: 0 | 1]; the
              day if the keys do not include today and yesterday. The message is JSON, at is in µs; untold is since when (µs) the two
              users of this private room have to be notified of it, 0 if they were; stored is 1 if the message was stored now, first if
              it was stored now as the room's first message
     FAILS  NOT_A_MEMBER, FORBIDDEN, CLIENT_MESSAGE_ID_REUSED, NOT_FOUND ]]
local room, log, meta, foreign, own, consumed, members, mentioned, reactions, reads, sent_1, sent_2, sent_3, sent_4 = unpack(KEYS)
local new_epoch, log_length, watched, room_id, from, text, client_id, first_day, mentions, reply_to, reply_score, history_limit, history_days, group, wanted, quiet = unpack(ARGV)
local heard, order, incomplete = '', '', ''
-- part: room_log
-- part: message_find
-- part: message_index
-- part: retention
-- part: message_store
-- part: pair_block

if wrong_days then return wrong_days end
if group == '1' and redis.call('HEXISTS', members, from) == 0 then return redis.error_reply('NOT_A_MEMBER ' .. room_id) end
local refusal = block_refusal(from)
if refusal and not sent_before() then return redis.error_reply(refusal) end

return store()
