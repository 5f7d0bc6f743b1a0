--[[ assistant_answer: end an answer. Stores it as a message, once, and removes its question, in one step, so that a worker that dies cannot
     leave one without the other. Stores nothing if the question was deleted, the assistant has left the group, or it is blocked.
     KEYS  room, log, meta, foreign, own, asked, members, mentioned, reactions, reads, sent_1, sent_2, sent_3, sent_4, reply, writing,
           withdrawn
     ARGV  new_epoch, log_length, assistant, room_id, text (JSON, '' for no message), client_id (JSON), first_day: number,
           reply_to (the question), reply_score, history_limit: number, history_days: number, group: boolean, fence, entry (of asked),
           state: "DONE" | "INCOMPLETE" | "CANCELLED", written (the plain text),
           incomplete: "TOO_LONG" | "BROKEN_OFF" | "WITHHELD" | "CANCELLED" | "" (why it is incomplete, '' if it is complete),
           problem (a sentence for people, or '')
     RETURNS  [day: number] | [message: string, seq: number, epoch: string, at: number, untold: number, stored: 1, first: 0 | 1] | [] |
           "LOST"; the result of message_send if a message was stored now, [] if not, LOST if another worker holds the room ]]
local room, log, meta, foreign, own, asked, members, mentioned, reactions, reads, sent_1, sent_2, sent_3, sent_4, reply, writing, withdrawn = unpack(KEYS)
local new_epoch, log_length, assistant, room_id, text, client_id, first_day, reply_to, reply_score, history_limit, history_days, group, fence, entry, state, written, incomplete, problem = unpack(ARGV)
local heard, order = '', ''
local from, mentions, quiet = assistant, '', ''
-- part: room_log
-- part: message_find
-- part: message_index
-- part: retention
-- part: message_store
-- part: reply
-- part: withdrawn
-- part: pair_block

if wrong_days then return wrong_days end
if not is_mine(fence) then return 'LOST' end
local answer = {}
local gone = group == '1' and redis.call('HEXISTS', members, assistant) == 0 or not find(reply_to, reply_score) or block_refusal(assistant) ~= nil
if gone then state, problem = 'CANCELLED', '' end
if text ~= '' and not gone and not sent_before() then
  answer = store()
  if answer.err then return answer end
end
redis.call('LREM', asked, 1, entry)
if text == '' and redis.call('HEXISTS', reply, 'cancelled') == 1 then withdraw(entry) end
-- Usually the final text extends the text written so far; if its end was cut off, subscribers get the whole text again.
local before = redis.call('GET', writing) or ''
local offset = string.sub(written, 1, #before) == before and #before or 0
redis.call('SET', writing, written)
tell(entry, state, offset, string.sub(written, offset + 1), problem)
return answer
