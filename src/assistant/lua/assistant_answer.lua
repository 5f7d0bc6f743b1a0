--[[ assistant_answer: end an answer. Stores it as a message, once, and passes its question, in one step, so that a worker that dies cannot
     leave one without the other. Stores nothing if the question was deleted, the assistant has left the group, or it is blocked.
     KEYS  room, log, meta, foreign, own, consumed, members, mentioned, reactions, reads, sent_1, sent_2, sent_3, sent_4, reply, writing,
           cancelled, withdrawn
     ARGV  new_epoch, log_length, watched: boolean, room_id, from (the assistant), text (JSON, '' for no message), client_id (JSON),
           first_day: number, reply_to (the question), reply_score, history_limit: number, history_days: number, group: boolean,
           name (of the consumer), fence, event: number (of the question), user (who asks),
           state: "DONE" | "INCOMPLETE" | "CANCELLED", written (the plain text),
           incomplete: "TOO_LONG" | "BROKEN_OFF" | "WITHHELD" | "CANCELLED" | "" (why it is incomplete, '' if it is complete),
           problem (a sentence for people, or ''), wanted: readonly string[] (names of the consumers that want the message)
     RETURNS  [day: number] | [message: string, seq: number, epoch: string, at: number, untold: number, stored: 1, first: 0 | 1] | [] |
           "LOST"; the result of message_send if a message was stored now, [] if not, LOST if another worker holds the room ]]
local room, log, meta, foreign, own, consumed, members, mentioned, reactions, reads, sent_1, sent_2, sent_3, sent_4, reply, writing, cancelled, withdrawn = unpack(KEYS)
local new_epoch, log_length, watched, room_id, from, text, client_id, first_day, reply_to, reply_score, history_limit, history_days, group, name, fence, event, user, state, written, incomplete, problem, wanted = unpack(ARGV)
local heard, order = '', ''
local mentions, quiet = '', ''
-- part: room_log
-- part: message_find
-- part: message_index
-- part: retention
-- part: message_store
-- part: consumer
-- part: reply
-- part: cancelled
-- part: pair_block

if wrong_days then return wrong_days end
if not is_mine() then return 'LOST' end
local answer = {}
local gone = group == '1' and redis.call('HEXISTS', members, from) == 0 or not find(reply_to, reply_score) or block_refusal(from) ~= nil
if gone then state, problem = 'CANCELLED', '' end
if text ~= '' and not gone and not sent_before() then
  answer = store()
  if answer.err then return answer end
end
pass(event)
if text == '' and is_cancelled(event, user) then withdraw(reply_to) end
-- Usually the final text extends the text written so far; if its end was cut off, subscribers get the whole text again.
local before = redis.call('HGET', reply, 'event') == event and redis.call('GET', writing) or ''
local offset = string.sub(written, 1, #before) == before and #before or 0
redis.call('SET', writing, written)
tell(reply_to, state, offset, string.sub(written, offset + 1), problem)
return answer
