--[[ assistant_ask_again: put a question that was given up back to the others, unless it waits, or was answered lately.
     KEYS  asked, sent_1, sent_2, sent_3, sent_4
     ARGV  entry (of asked), answer (user and clientMessageId that its answer would have)
     gives 1 if it waits now, else 0 ]]
local asked, sent_1, sent_2, sent_3, sent_4 = unpack(KEYS)
local entry, answer = unpack(ARGV)

if redis.call('LPOS', asked, entry) then return 1 end
local answered = redis.call('HEXISTS', sent_1, answer) + redis.call('HEXISTS', sent_2, answer)
  + redis.call('HEXISTS', sent_3, answer) + redis.call('HEXISTS', sent_4, answer)
if answered > 0 then return 0 end
redis.call('RPUSH', asked, entry)
return 1
